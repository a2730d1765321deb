// The graph that trains on a GPU, in bfloat16 with float32 weights, on shapes small enough for a processor.
using Scaling.Architectures;
using Scaling.TestKit;
using static TorchSharp.torch;

namespace Scaling.Torch.Tests;

public sealed class MixedPrecisionTests
{
    private static readonly Compute Mixed = Compute.Cpu with { Precision = Precision.Mixed };

    public MixedPrecisionTests() => Libtorch.Load();

    [Theory, MemberData(nameof(DecoderTests.Shapes), MemberType = typeof(DecoderTests))]
    public void Logits_in_bfloat16_are_those_of_float32_but_for_its_eight_bits(DecoderShape shape)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var weights = DecoderTests.Lively(shape);
        using var full = new Decoder(weights, positions: 9);
        using var mixed = new Decoder(weights, positions: 9, Precision.Mixed);
        var tokens_BT = tensor(Enumerable.Range(0, 18).Select(t => (long)(t * 7 % shape.Vocabulary)).ToArray(), [2, 9]);

        var expected_BTV = full.Logits(tokens_BT);
        var actual_BTV = mixed.Logits(tokens_BT);

        Assert.Equal(ScalarType.Float32, actual_BTV.dtype);
        // bfloat16 rounds by up to 2^-9 = 0.002 relative, and the roundings of some ten products and sums in turn lie behind a logit. Less than 0.0001 would be float32.
        Assert.InRange((expected_BTV - actual_BTV).norm().item<float>() / expected_BTV.norm().item<float>(), 1e-4, 0.02);
    }

    [Theory, MemberData(nameof(DecoderTests.Shapes), MemberType = typeof(DecoderTests))]
    public void Reading_token_by_token_with_weights_and_cache_in_bfloat16_gives_the_logits_of_float32_but_for_its_eight_bits(DecoderShape shape)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var exact = DecoderTests.Lively(shape);
        using var weights = new DecoderWeights(shape, zeros(DecoderWeights.NumbersOf(shape), bfloat16));
        foreach (var (own, other) in weights.All.Zip(exact.All))
        {
            own.copy_(other);
        }

        using var full = new Decoder(exact, positions: 9);
        using var half = new Decoder(weights, positions: 9, Precision.Mixed);
        using var cache = new KeyValueCache(shape, batch: 2, positions: 9, ScalarType.BFloat16);
        var tokens_BT = tensor(Enumerable.Range(0, 18).Select(t => (long)(t * 7 % shape.Vocabulary)).ToArray(), [2, 9]);
        var expected_BTV = full.Logits(tokens_BT);

        Assert.All(weights.Matrices, m => Assert.Equal(ScalarType.BFloat16, m.dtype));
        AssertNear(expected_BTV.select(1, 3), half.NextLogits(tokens_BT.narrow(1, 0, 4), cache));
        for (int t = 4; t < 9; t++)
        {
            AssertNear(expected_BTV.select(1, t), half.NextLogits(tokens_BT.narrow(1, t, 1), cache));
        }

        static void AssertNear(Tensor expected_BV, Tensor actual_BV)
        {
            Assert.Equal(ScalarType.Float32, actual_BV.dtype);
            // As above, and the embeddings and the cache are rounded besides.
            Assert.InRange((expected_BV - actual_BV).norm().item<float>() / expected_BV.norm().item<float>(), 1e-4, 0.03);
        }
    }

    [Fact]
    public void A_workload_in_bfloat16_runs_to_its_end()
    {
        var shape = new DecoderShape(2, 16, 40, 4, 2, 8, 256, Tied: true);
        using var memory = new WorkloadMemory([shape], new Workload(Prompt: 8, Output: 4, Batch: 2), ComputeDevice.Cpu);
        using var timing = new WorkloadTiming(shape, memory);

        Assert.True(timing.Run() is { TimeToFirstToken: > 0, DecodeSeconds: > 0 });
    }

    [Theory, MemberData(nameof(DecoderTests.Shapes), MemberType = typeof(DecoderTests))]
    public void Gradients_reach_the_float32_weights_and_point_where_those_of_float32_do(DecoderShape shape)
    {
        const int context = 9;
        using var scope = NewDisposeScope();
        using var random = new Generator(5, CPU);
        DecoderWeights weights;
        using (no_grad())
        {
            weights = DecoderTests.Lively(shape);
        }

        using var ofWeights = weights;
        using var full = new LossGradients(weights, context);
        using var mixed = new LossGradients(weights, context, Mixed) { MicroBatch = 2 };
        var tokens_BT1 = randint(0, shape.Vocabulary, [3, context + 1], int64, generator: random);

        var (expectedNats, expected) = full.ByAutograd(tokens_BT1);
        var (nats, actual) = mixed.Of(tokens_BT1);

        Assert.Equal(1, nats.item<float>() / expectedNats.item<float>(), 0.01);
        Assert.All(actual, g => Assert.Equal(ScalarType.Float32, g.dtype));
        Assert.Equal(weights.All.Select(p => p.shape), actual.Select(g => g.shape));
        // Weights as large as these amplify a rounding of 0.002 from layer to layer, to 0.06 at three. A term too many or too few makes it 1.
        Assert.All(expected.Zip(actual), pair => Assert.InRange((pair.First - pair.Second).norm().item<float>() / pair.First.norm().item<float>(), 1e-5, 0.1));
    }

    [Fact]
    public void A_run_in_bfloat16_learns_as_one_in_float32_and_either_goes_on_from_the_others_checkpoint()
    {
        using var folder = new TemporaryFolder();
        ushort[] tokens = TrainingTests.Numbers(5000);
        var plan = TrainingTests.Plan(steps: 60);
        using var full = TrainingTests.Run(plan, tokens);
        using var mixed = TrainingTests.Run(plan, tokens, Mixed);
        TrainingTests.Advance(full, 30);
        TrainingTests.Advance(mixed, 30);
        Assert.NotEqual(full.LastLoss, mixed.LastLoss);

        full.Save(folder["full"]);
        mixed.Save(folder["mixed"]);
        full.Resume(folder["mixed"]);
        mixed.Resume(folder["full"]);
        TrainingTests.Finish(full);
        TrainingTests.Finish(mixed);

        Assert.InRange(full.LastLoss, 0.5, 3.5); // from 5.5
        Assert.Equal(full.LastLoss, mixed.LastLoss, 0.05); // nats; seeds differ by more
        Assert.Equal(full.Judged[0].HeldOut.Nats, mixed.Judged[0].HeldOut.Nats, 0.05);
    }
}
