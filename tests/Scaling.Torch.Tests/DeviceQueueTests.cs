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
    public void Steps_handed_over_ahead_of_their_losses_end_with_the_same_bytes_and_the_same_curve()
    {
        using var folder = new TemporaryFolder();
        ushort[] tokens = TrainingTests.Numbers(5000);
        var plan = TrainingTests.Plan(steps: 75); // lines every other step
        using var waiting = new TrainingRun(plan, tokens);
        using var ahead = new TrainingRun(plan, tokens, Compute.Cpu with { StepsAhead = 8 });
        TrainingTests.Advance(waiting, 21);
        TrainingTests.Advance(ahead, 21);

        Assert.Equal((21, 8), (ahead.Step, ahead.Curve.Count));
        Assert.NotEqual(waiting.LastLoss, ahead.LastLoss);
        ahead.Settle();
        Assert.Equal((waiting.LastLoss, 10), (ahead.LastLoss, ahead.Curve.Count));

        TrainingTests.Advance(ahead, 2);
        ahead.Save(folder["checkpoint"]);
        TrainingTests.Advance(ahead, 3);
        ahead.Resume(folder["checkpoint"]);
        TrainingTests.Finish(waiting);
        TrainingTests.Finish(ahead);

        Assert.Equal(waiting.Curve, ahead.Curve);
        Assert.Equal(Bytes(waiting), Bytes(ahead));
    }

    [Fact]
    public void A_run_that_diverged_before_its_losses_were_read_tells_the_step_and_leaves_no_checkpoint()
    {
        using var folder = new TemporaryFolder();
        var plan = TrainingTests.Plan(steps: 50) with { LearningRate = 1e30, Warmup = 0 };
        using var waiting = new TrainingRun(plan, TrainingTests.Numbers(5000));
        using var ahead = new TrainingRun(plan, TrainingTests.Numbers(5000), Compute.Cpu with { StepsAhead = 64 });
        var expected = Assert.Throws<UnusableInputException>(() => TrainingTests.Finish(waiting));
        TrainingTests.Advance(ahead, 9);

        var failure = Assert.Throws<UnusableInputException>(() => ahead.Save(folder["checkpoint"]));

        Assert.Equal("SCAL8005", failure.Code);
        Assert.Equal(expected.Message, failure.Message);
        Assert.Matches("at step [1-8] of 50", failure.Message);
        Assert.False(File.Exists(folder["checkpoint"]));
    }

    [Fact]
    public void Full_memory_halves_the_micro_batch_and_repeats_the_step_as_if_nothing_had_been()
    {
        ushort[] tokens = TrainingTests.Numbers(5000);
        var plan = TrainingTests.Plan(steps: 6) with { Batch = 8 };
        using var full = new TrainingRun(plan, tokens);
        TrainingTests.Advance(full, 2);
        Assert.Equal(8, full.MicroBatch);
        int calls = 0;
        full.Gradients.MicroBatch = 4;
        full.Gradients.Computing = sequences => FailWhen(sequences > 2 && ++calls == 2, Full); // when half of the batch is done
        TrainingTests.Finish(full);

        using var small = new TrainingRun(plan, tokens);
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
        using var run = new TrainingRun(TrainingTests.Plan(steps: 6), TrainingTests.Numbers(5000));
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
        using var run = new TrainingRun(TrainingTests.Plan(steps: 6), TrainingTests.Numbers(5000));
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
