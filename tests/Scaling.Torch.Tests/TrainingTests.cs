// Training learns, and goes on after a kill as if nothing had happened.
using System.Text;
using Scaling.Architectures;
using Scaling.TestKit;
using static TorchSharp.torch;

namespace Scaling.Torch.Tests;

public sealed class TrainingTests
{
    private static readonly DecoderShape Shape = new(2, 24, 32, 4, 2, 8, 256, Tied: true);

    private static readonly ushort[] s_heldOut = Numbers(3000, from: 6000);

    public TrainingTests() => Libtorch.Load();

    [Fact]
    public void A_run_that_goes_on_from_a_checkpoint_ends_with_the_bytes_of_an_undisturbed_one()
    {
        using var folder = new TemporaryFolder();
        ushort[] tokens = Numbers(5000);
        var plan = Plan(steps: 40);
        using var undisturbed = Run(plan, tokens);
        Finish(undisturbed);
        undisturbed.Weights.Write(folder["undisturbed"]);

        using (var killed = Run(plan, tokens))
        {
            Advance(killed, 23);
            killed.Save(folder["checkpoint"]);
            Advance(killed, 5);
        }

        using var resumed = Run(plan, tokens);
        resumed.Resume(folder["checkpoint"]);
        Assert.Equal(23, resumed.Step);
        Finish(resumed);
        resumed.Weights.Write(folder["resumed"]);

        Assert.Equal(File.ReadAllBytes(folder["undisturbed"]), File.ReadAllBytes(folder["resumed"]));
        Assert.Equal(undisturbed.Curve, resumed.Curve);
    }

    [Fact]
    public void A_checkpoint_of_another_plan_is_refused_and_changes_nothing()
    {
        using var folder = new TemporaryFolder();
        using (var run = Run(Plan(steps: 3), Numbers(5000)))
        {
            run.Save(folder["checkpoint"]);
        }

        using var other = Run(Plan(steps: 3) with { Shape = Shape with { Hidden = 28 } }, Numbers(5000));

        Assert.Equal(0, other.Step);
        Assert.Contains("no checkpoint of this run", Assert.Throws<FormatException>(() => other.Resume(folder["checkpoint"])).Message);
    }

    [Fact]
    public void A_small_model_learns_far_more_than_the_frequencies_of_bytes()
    {
        ushort[] training = Numbers(40_000), heldOut = Numbers(3000, from: 6000);
        using var run = Run(Plan(steps: 400), training);
        double before = HeldOutLoss.Of(run.Weights, heldOut, 32, 2000).Nats;

        Finish(run);

        var loss = HeldOutLoss.Of(run.Weights, heldOut, 32, 2000);
        double unigram = Entropy(training);
        Assert.InRange(before, 5.3, 5.8); // ln 256 = 5.55: a fresh model knows nothing
        Assert.True(loss.Nats < 0.5 * unigram, $"{loss.Nats} nats where frequencies alone give {unigram}");
        Assert.Equal(1984, loss.Tokens);
        Assert.True(loss.StandardError is > 0 and < 0.1);
        Assert.Equal(run.Plan.Tokens, run.Curve[^1].Tokens);
        Assert.True(run.Curve.Count <= 50 && run.Curve[^1].Loss < run.Curve[0].Loss);
    }

    [Theory]
    [InlineData(1e30)] // infinite within steps
    [InlineData(10)] // finite, and far worse than guessing
    public void A_run_that_diverges_ends_and_says_at_which_step(double rate)
    {
        using var run = Run(Plan(steps: 60, rate, warmup: 0), Numbers(5000));

        Finish(run);

        Assert.InRange(run.DivergedAt!.Value, 1, 20);
        Assert.Empty(run.Judged);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(6.55)] // ln 256 = 5.545, and a nat
    public void A_run_whose_held_out_loss_at_a_point_is_worse_than_guessing_has_diverged_there(double nats)
    {
        foreach (long lost in new[] { 30L, 50 })
        {
            var plan = Stable(20, 30, 50);
            var losses = new Queue<double>([.. plan.Points.Select(p => p == lost ? nats : 6.54)]);
            using var run = new TrainingRun(plan, Numbers(5000), _ => new HeldOutLoss(losses.Dequeue(), 0, 1));

            Finish(run);

            Assert.Equal(lost, run.DivergedAt);
            Assert.Equal(plan.Points.TakeWhile(p => p < lost), run.Judged.Select(j => j.Step));
        }
    }

    [Theory, MemberData(nameof(DecoderTests.Shapes), MemberType = typeof(DecoderTests))]
    public void Gradients_are_the_differences_of_an_independent_loss(DecoderShape shape)
    {
        const int context = 37;
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var weights = Lively(shape);
        using var gradients = new LossGradients(weights, context) { MicroBatch = 2 };
        var tokens_BT1 = Tokens(shape, 3, context);
        var (nats, actual) = gradients.Of(tokens_BT1);
        weights.Write(folder["weights"]);
        using var holder = new DecoderWeights(shape, seed: 1); // writes the gradients under the names of the weights
        using (no_grad())
        {
            foreach (var (parameter, gradient) in holder.All.Zip(actual))
            {
                parameter.copy_(gradient);
            }
        }

        holder.Write(folder["gradients"]);
        var reference = new ReferenceDecoder(shape, folder["weights"]);
        var written = new ReferenceDecoder(shape, folder["gradients"]);
        int[][] sequences = [.. Enumerable.Range(0, 3).Select(b => tokens_BT1[b].data<long>().Select(t => (int)t).ToArray())];

        Assert.Equal(Loss(0), nats.item<float>(), 1e-5);
        var random = new Random(1);
        foreach (string name in reference.Names)
        {
            double[] values = reference[name], gradient = written[name];
            double largest = gradient.Max(Math.Abs);
            // The largest and a few by chance. A central difference at 1e-5 errs by 1e-9; float32 leaves 1e-5 of a tensor's largest, as above.
            foreach (int i in new[] { Array.FindIndex(gradient, g => Math.Abs(g) == largest), random.Next(values.Length), random.Next(values.Length), random.Next(values.Length) })
            {
                double before = values[i];
                values[i] = before + 1e-5;
                double up = Loss(LossGradients.ZLoss);
                values[i] = before - 1e-5;
                double down = Loss(LossGradients.ZLoss);
                values[i] = before;
                Assert.True(Math.Abs((up - down) / 2e-5 - gradient[i]) < 3e-5 * largest, $"{name}[{i}]: {(up - down) / 2e-5}, not {gradient[i]} beside {largest}");
            }
        }

        double Loss(double zLoss) => sequences.Average(s => reference.Logits(s[..^1]).Select((logits, t) =>
        {
            double logSum = Math.Log(logits.Sum(Math.Exp));
            return logSum - logits[s[t + 1]] + zLoss * logSum * logSum;
        }).Average());
    }

    public static TheoryData<DecoderShape, int, int> Batches => new()
    {
        { Shape, 3, 9 }, // one block of queries, as there are few scores
        { Shape with { Tied = false }, 16, 70 }, // three, the last one of 6
        { new DecoderShape(2, 64, 128, 4, 2, 16, 256, Tied: true), 40, 64 }, // products large enough for oneDNN, in two micro-batches
        { new DecoderShape(2, 64, 128, 4, 4, 32, 256, Tied: false), 16, 64 },
        { new DecoderShape(1, 64, 256, 4, 2, 16, 512, Tied: false), 32, 64 }, // products of 512, which oneDNN gets wrong on some virtual machines
    };

    [Theory, MemberData(nameof(Batches))]
    public void Gradients_are_those_of_autograd_from_the_first_call_on(DecoderShape shape, int batch, int context)
    {
        using var scope = NewDisposeScope();
        using var weights = Lively(shape);
        using var gradients = new LossGradients(weights, context);
        var tokens_BT1 = Tokens(shape, batch, context);
        var expected = gradients.ByAutograd(tokens_BT1);
        var actual = gradients.Of(tokens_BT1);
        AssertNear(expected, actual);
        Assert.Equal(weights.All.Select(p => p.shape), actual.Gradients.Select(g => g.shape));
        Tensor[] first = [.. actual.Gradients.Select(g => g.clone())];

        // TorchScript watches its first calls and then rewrites the program: a process that goes on from a checkpoint must not differ from one that has long run.
        for (int call = 0; call < 4; call++)
        {
            Assert.All(first.Zip(gradients.Of(tokens_BT1).Gradients), pair => Assert.True(pair.First.equal(pair.Second).all().item<bool>()));
        }
    }

    [Theory]
    [InlineData(LossGradients.MostScores)]
    [InlineData(0)] // by autograd
    public void A_batch_has_the_same_gradients_in_micro_batches_that_do_not_divide_it(long mostScores)
    {
        using var scope = NewDisposeScope();
        using var weights = Lively(Shape);
        using var gradients = new LossGradients(weights, context: 40, mostScores: mostScores);
        var tokens_BT1 = Tokens(Shape, 5, context: 40);
        var expected = gradients.ByAutograd(tokens_BT1);

        foreach (int microBatch in new[] { 8, 5, 3, 2, 1 })
        {
            gradients.MicroBatch = microBatch;
            AssertNear(expected, gradients.Of(tokens_BT1));
        }
    }

    [Fact]
    public void The_fused_optimiser_takes_the_step_that_the_paper_writes()
    {
        // One step of AdamW from m = v = 0: the update is lr·g/(|g| + ε/…), so every decayed weight moves by its decay and by at most the rate.
        var plan = Plan(steps: 1, warmup: 0) with { WeightDecay = 0.5 };
        using var run = Run(plan, Numbers(5000));
        float[] before = Values(run);
        run.Advance();
        float[] after = Values(run);

        double[] moves = [.. before.Zip(after, (b, a) => (double)a - b * (1 - 0.01 * 0.5))];
        // Almost every gradient is far above ε = 1e-8 once clipped to norm 1, so |move| is the rate; float32 rounds at 1e-8.
        Assert.True(moves.Count(m => Math.Abs(Math.Abs(m) - 0.01) < 1e-4) > 0.95 * moves.Length);
        Assert.All(moves, m => Assert.True(Math.Abs(m) < 0.01 + 1e-6));

        static float[] Values(TrainingRun run) => run.Weights.Blocks[0].Down_DF.data<float>().ToArray();
    }

    [Theory]
    [InlineData(0, 0.1)]
    [InlineData(9, 1)]
    [InlineData(60, 0.55)]
    [InlineData(110, 0.1)]
    public void The_rate_rises_and_falls_on_half_a_cosine(long step, double expected) =>
        Assert.Equal(expected, new Schedule(ScheduleKind.Cosine, 110, 10, 1, 0.2).Rate(step, 110), 12);

    [Theory]
    [InlineData(4, 100, 0.5)]
    [InlineData(83, 100, 1)]
    [InlineData(88, 100, 0.5)]
    [InlineData(99, 100, 0.031754163448146)] // 1 - sqrt(15/16)
    [InlineData(88, 200, 1)]
    public void The_rate_is_held_and_left_on_one_less_a_root(long step, long point, double expected) =>
        Assert.Equal(expected, new Schedule(ScheduleKind.WarmupStableDecay, 200, 10, 1, 0.16).Rate(step, point), 12);

    [Fact]
    public void A_branch_ends_with_the_weights_of_a_run_that_was_annealed_there_alone()
    {
        using var folder = new TemporaryFolder();
        ushort[] tokens = Numbers(5000);
        using var several = Run(Stable(20, 30, 50), tokens);
        using var alone = Run(Stable(50), tokens);
        using var shorter = Run(Stable(30), tokens);
        Array.ForEach([several, alone, shorter], Finish);
        several.Weights.Write(folder["several"]);
        alone.Weights.Write(folder["alone"]);

        Assert.Equal(50 + 4 + 6, several.ExecutedSteps);
        Assert.Equal(several.Plan.ExecutedSteps, several.ExecutedSteps);
        Assert.Equal([20L, 30, 50], several.Judged.Select(j => j.Step));
        Assert.Equal(File.ReadAllBytes(folder["alone"]), File.ReadAllBytes(folder["several"]));
        Assert.Equal(shorter.Judged[0], several.Judged[1]);
        Assert.True(several.Judged[2].HeldOut.Nats < several.Judged[0].HeldOut.Nats);
    }

    [Fact]
    public void Killed_at_random_twenty_times_a_run_ends_bit_identical()
    {
        using var folder = new TemporaryFolder();
        ushort[] tokens = Numbers(5000);
        var plan = Stable(20, 30, 50);
        using var undisturbed = Run(plan, tokens);
        Finish(undisturbed);
        undisturbed.Weights.Write(folder["undisturbed"]);

        // Each life begins at the last checkpoint, saves at a random step, goes on for some steps that are lost, and ends.
        var random = new Random(7);
        for (int life = 0; life < 20; life++)
        {
            using var killed = Run(plan, tokens);
            if (life > 0)
            {
                killed.Resume(folder["checkpoint"]);
            }

            Advance(killed, random.Next(6));
            killed.Save(folder["checkpoint"]);
            Advance(killed, random.Next(8));
        }

        using var last = Run(plan, tokens);
        last.Resume(folder["checkpoint"]);
        Assert.True(last.ExecutedSteps > 20);
        Finish(last);
        last.Weights.Write(folder["last"]);

        Assert.Equal(File.ReadAllBytes(folder["undisturbed"]), File.ReadAllBytes(folder["last"]));
        Assert.Equal(undisturbed.Curve, last.Curve);
        Assert.Equal(undisturbed.Judged, last.Judged);
    }

    internal static TrainingPlan Plan(long steps, double rate = 0.01, double warmup = 0.1) => new()
    {
        Shape = Shape, Seed = 1, OrderSeed = 5, Points = [steps], Batch = 4, Context = 32, WeightDecay = 0.1,
        Schedule = new Schedule(ScheduleKind.Cosine, steps, (long)(warmup * steps), rate, 0.2),
    };

    /// <summary>One trunk for several points; the warm-up is that of 50 steps for all.</summary>
    internal static TrainingPlan Stable(params long[] points) =>
        Plan(points[^1]) with { Points = points, Schedule = new Schedule(ScheduleKind.WarmupStableDecay, 50, 5, 0.01, 0.2) };
    /// <summary>Norms other than 1 and logits that tell something.</summary>
    private static DecoderWeights Lively(DecoderShape shape)
    {
        var weights = new DecoderWeights(shape, seed: 3);
        using var noGradients = no_grad();
        using var random = new Generator(5, CPU);
        foreach (var parameter in weights.Undecayed)
        {
            parameter.add_(randn(parameter.shape, generator: random), 0.2);
        }

        return weights;
    }

    private static Tensor Tokens(DecoderShape shape, int batch, int context)
    {
        using var random = new Generator(7, CPU);
        return randint(0, shape.Vocabulary, [batch, context + 1], int64, generator: random);
    }

    private static void AssertNear((Tensor Nats, Tensor[] Gradients) expected, (Tensor Nats, Tensor[] Gradients) actual)
    {
        Assert.Equal(expected.Nats.item<float>(), actual.Nats.item<float>(), 2e-6);
        // float32 carries 6e-8 relative, and some hundred additions lie behind each number: 1e-5 of a tensor's largest.
        Assert.All(expected.Gradients.Zip(actual.Gradients), pair => Assert.True((pair.First - pair.Second).abs().max().item<float>() < 1e-5 * pair.First.abs().max().item<float>()));
    }

    internal static TrainingRun Run(TrainingPlan plan, ushort[] tokens, Compute? compute = null) =>
        new(plan, tokens, weights => HeldOutLoss.Of(weights, s_heldOut, plan.Context, 400), compute);

    internal static void Finish(TrainingRun run) => Advance(run, long.MaxValue);

    internal static void Advance(TrainingRun run, long steps)
    {
        for (long i = 0; i < steps && run is { Done: false, DivergedAt: null }; i++)
        {
            run.Advance();
        }
    }

    /// <summary>Lines of a word and a number from 1000 to 9999, each number once: text with much to learn beyond the frequencies of its bytes.</summary>
    internal static ushort[] Numbers(int length, int from = 0) =>
        [.. Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(from, length / 12 + 1).Select(i => $"number {1000 + i * 37 % 9000}\n")))[..length].Select(b => (ushort)b)];

    private static double Entropy(ushort[] tokens) =>
        tokens.GroupBy(t => t).Sum(g => -(double)g.Count() / tokens.Length * Math.Log((double)g.Count() / tokens.Length));
}
