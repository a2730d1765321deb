// What a GPU asks of a run, tried on a processor: losses that are read late, and memory that is full.
using System.Runtime.InteropServices;
using Scaling.TestKit;
using static TorchSharp.torch;

namespace Scaling.Torch.Tests;

public sealed class DeviceQueueTests
{
    /// <summary>As libtorch 2.10 puts it.</summary>
    private const string Full =
        "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.11 GiB of which 1.31 GiB is free. See documentation for Memory Management  (https://pytorch.org/docs)";

    public DeviceQueueTests() => Libtorch.Load();

    [Fact]
    public void Steps_are_handed_over_ahead_of_their_losses_until_somebody_asks_for_them()
    {
        using var waiting = TrainingTests.Run(TrainingTests.Plan(steps: 75), TrainingTests.Numbers(5000)); // a line every other step
        using var ahead = TrainingTests.Run(TrainingTests.Plan(steps: 75), TrainingTests.Numbers(5000), Compute.Cpu with { StepsAhead = 8 });
        TrainingTests.Advance(waiting, 21);
        TrainingTests.Advance(ahead, 21);

        Assert.Equal((21, 16, 8), (ahead.Step, ahead.ExecutedSteps, ahead.Curve.Count));
        Assert.NotEqual(waiting.LastLoss, ahead.LastLoss);
        ahead.Settle();
        Assert.Equal((21, 10), (ahead.ExecutedSteps, ahead.Curve.Count));
        Assert.Equal(waiting.LastLoss, ahead.LastLoss);
    }

    [Fact]
    public void A_run_ends_with_the_same_bytes_however_late_its_losses_are_read()
    {
        using var folder = new TemporaryFolder();
        ushort[] tokens = TrainingTests.Numbers(5000);
        var plan = TrainingTests.Stable(20, 30, 50);
        using var waiting = TrainingTests.Run(plan, tokens);
        using var ahead = TrainingTests.Run(plan, tokens, Compute.Cpu with { StepsAhead = 7 });
        TrainingTests.Advance(ahead, 33);
        ahead.Save(folder["checkpoint"]);
        using var resumed = TrainingTests.Run(plan, tokens, Compute.Cpu with { StepsAhead = 64 });
        resumed.Resume(folder["checkpoint"]);
        Array.ForEach([waiting, ahead, resumed], TrainingTests.Finish);

        Assert.All([ahead, resumed], run =>
        {
            Assert.Equal(Bytes(waiting), Bytes(run));
            Assert.Equal(waiting.Curve, run.Curve);
            Assert.Equal(waiting.Judged, run.Judged);
        });
    }

    [Theory]
    [InlineData(1e30)] // infinite within steps
    [InlineData(10)] // finite, and far worse than guessing
    public void A_run_that_diverged_before_its_losses_were_read_tells_the_same_step_and_leaves_no_checkpoint(double rate)
    {
        using var folder = new TemporaryFolder();
        var plan = TrainingTests.Plan(steps: 60, rate, warmup: 0);
        using var waiting = TrainingTests.Run(plan, TrainingTests.Numbers(5000));
        using var ahead = TrainingTests.Run(plan, TrainingTests.Numbers(5000), Compute.Cpu with { StepsAhead = 64 });
        TrainingTests.Finish(waiting);
        TrainingTests.Advance(ahead, 30);
        Assert.Null(ahead.DivergedAt);

        ahead.Save(folder["checkpoint"]);

        Assert.InRange(ahead.DivergedAt!.Value, 1, 20);
        Assert.Equal((waiting.DivergedAt, waiting.ExecutedSteps, waiting.LastLoss), (ahead.DivergedAt, ahead.ExecutedSteps, ahead.LastLoss));
        Assert.Equal(waiting.Curve, ahead.Curve);
        Assert.False(File.Exists(folder["checkpoint"]));
    }

    [Fact]
    public void Full_memory_halves_the_micro_batch_and_repeats_the_step_as_if_nothing_had_been()
    {
        ushort[] tokens = TrainingTests.Numbers(5000);
        var plan = TrainingTests.Plan(steps: 6) with { Batch = 8 };
        using var full = TrainingTests.Run(plan, tokens);
        TrainingTests.Advance(full, 2);
        Assert.Equal(8, full.MicroBatch);
        int calls = 0;
        full.Gradients.MicroBatch = 4;
        full.Gradients.Computing = sequences => FailWhen(sequences > 2 && ++calls == 2, Full); // when half of the batch is done
        TrainingTests.Finish(full);

        using var small = TrainingTests.Run(plan, tokens);
        TrainingTests.Advance(small, 2);
        small.Gradients.MicroBatch = 2;
        TrainingTests.Finish(small);

        Assert.Equal((2, 2), (calls, full.MicroBatch));
        Assert.Equal(small.Curve, full.Curve);
        Assert.Equal(Bytes(small), Bytes(full));
    }

    [Fact]
    public void Memory_too_small_for_one_sequence_is_told_with_what_was_asked_and_changes_nothing()
    {
        using var run = TrainingTests.Run(TrainingTests.Plan(steps: 6), TrainingTests.Numbers(5000));
        TrainingTests.Advance(run, 1);
        byte[] before = Bytes(run);
        var tried = new List<long>();
        run.Gradients.Computing = sequences =>
        {
            tried.Add(sequences);
            FailWhen(true, Full);
        };

        var failure = Assert.Throws<UnusableInputException>(run.Advance);

        Assert.Equal([4L, 2, 1], tried);
        Assert.Equal("SCAL8209", failure.Code);
        Assert.Contains("does not hold one sequence of 32 tokens", failure.Message);
        Assert.EndsWith("of which 1.31 GiB is free.", failure.Message);
        Assert.Contains("--jobs", failure.Hint);
        Assert.Equal(1, run.Step);
        Assert.Equal(before, Bytes(run));
    }

    [Fact]
    public void Another_failure_is_not_taken_for_full_memory()
    {
        using var run = TrainingTests.Run(TrainingTests.Plan(steps: 6), TrainingTests.Numbers(5000));
        run.Gradients.Computing = _ => FailWhen(true, "CUDA error: an illegal memory access was encountered");

        Assert.Contains("illegal memory access", Assert.Throws<ExternalException>(run.Advance).Message);
    }

    /// <summary>Fails in native code, so that the exception is TorchSharp's own.</summary>
    private static void FailWhen(bool fails, string message)
    {
        if (fails)
        {
            using var script = jit.compile($"def fail(x: Tensor) -> Tensor:\n    assert x.numel() == 0, '{message}'\n    return x\n\n");
            using var nothing = zeros(1);
            script.invoke<Tensor>("fail", nothing);
        }
    }

    private static byte[] Bytes(TrainingRun run) => [.. run.Weights.All.SelectMany(p => p.bytes.ToArray())];
}
