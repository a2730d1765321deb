// How long a decoder takes to read a prompt and to write an answer.
//
// Axes: B batch, T positions, V vocabulary.
using System.Diagnostics;
using Scaling.Architectures;
using static TorchSharp.torch;

namespace Scaling.Torch;

/// <summary>One run of a workload.</summary>
/// <param name="TimeToFirstToken">Seconds of the prompt and the choice of the first token.</param>
/// <param name="DecodeSeconds">Seconds of the output − 1 tokens that follow.</param>
public readonly record struct WorkloadTime(double TimeToFirstToken, double DecodeSeconds);

/// <summary>A decoder with random weights, ready to run a workload over and over: what a token costs does not depend on what the weights say.</summary>
public sealed class WorkloadTiming : IDisposable
{
    private const long Seed = 1;

    private readonly CollectionPause _pause = new();
    private readonly Workload _workload;
    private readonly DecoderWeights _weights;
    private readonly Decoder _decoder;
    private readonly KeyValueCache _cache;
    private readonly Tensor _prompt_BT;

    /// <summary>Builds the decoder, its cache and a prompt.</summary>
    /// <param name="shape">Any shape.</param>
    /// <param name="workload">What to run, in float32; at least two tokens of output.</param>
    public WorkloadTiming(DecoderShape shape, Workload workload)
    {
        FreedMemory.Keep(); // Otherwise a pass pays for fresh pages wherever one of its tensors is large, and shapes are told apart by that.
        _workload = workload;
        _weights = new DecoderWeights(shape, Seed);
        _decoder = new Decoder(_weights, workload.Prompt + workload.Output);
        _cache = new KeyValueCache(shape, workload.Batch, workload.Prompt + workload.Output);
        using var scope = NewDisposeScope();
        using var random = new Generator((ulong)Seed, CPU);
        _prompt_BT = randint(0, shape.Vocabulary, [workload.Batch, workload.Prompt], int64, generator: random).MoveToOuterDisposeScope();
    }

    /// <summary>Reads the prompt and writes the answer, greedily, once.</summary>
    public WorkloadTime Run()
    {
        _pause.Rest();
        using var noGradients = no_grad();
        _cache.Clear();
        long start = Stopwatch.GetTimestamp();
        var token_BT = Next(_prompt_BT);
        double first = Stopwatch.GetElapsedTime(start).TotalSeconds;
        for (int i = 1; i < _workload.Output; i++)
        {
            using var before = token_BT;
            token_BT = Next(before);
        }

        token_BT.Dispose();
        return new WorkloadTime(first, Stopwatch.GetElapsedTime(start).TotalSeconds - first);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _prompt_BT.Dispose();
        _cache.Dispose();
        _decoder.Dispose();
        _weights.Dispose();
        _pause.Dispose();
    }

    private Tensor Next(Tensor tokens_BT)
    {
        using var scope = NewDisposeScope();
        return _decoder.NextLogits(tokens_BT, _cache).argmax(-1, keepdim: true).MoveToOuterDisposeScope();
    }
}
