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

/// <summary>A decoder with random weights, ready to run a workload over and over.</summary>
public sealed class WorkloadTiming : IDisposable
{
    private const long Seed = 1;

    private readonly CollectionPause _pause = new();
    private readonly WorkloadMemory _memory;
    private readonly Workload _workload;
    private readonly DecoderWeights _weights;
    private readonly Decoder _decoder;
    private readonly KeyValueCache _cache;
    private readonly Tensor _prompt_BT;

    /// <summary>Builds the decoder, its cache and a prompt.</summary>
    /// <param name="shape">One of those that the memory was taken for.</param>
    /// <param name="memory">Of decoders that take turns; owned by the caller. Its workload writes at least two tokens.</param>
    public WorkloadTiming(DecoderShape shape, WorkloadMemory memory)
    {
        FreedMemory.Keep(); // Otherwise a pass pays for fresh pages wherever one of its tensors is large, and shapes are told apart by that.
        _memory = memory;
        _workload = memory.Workload;
        int positions = _workload.Prompt + _workload.Output;
        _weights = new DecoderWeights(shape, memory.Numbers_P);
        _decoder = new Decoder(_weights, positions, _workload.Weights == DataType.Bfloat16 ? Precision.Mixed : Precision.Full);
        _cache = new KeyValueCache(shape, _workload.Batch, positions, memory.Room_P);
        using var scope = NewDisposeScope();
        using var random = new Generator((ulong)Seed, CPU);
        _prompt_BT = randint(0, shape.Vocabulary, [_workload.Batch, _workload.Prompt], int64, generator: random).to(_weights.Device).MoveToOuterDisposeScope();
    }

    /// <summary>Reads the prompt and writes the answer, greedily, once.</summary>
    /// <param name="stop">Looked at before every token.</param>
    /// <exception cref="OperationCanceledException">By <paramref name="stop"/>.</exception>
    /// <exception cref="UnusableInputException">SCAL8104, or SCAL8209 on a GPU: the memory does not hold what lies between layers.</exception>
    public WorkloadTime Run(CancellationToken stop = default) => DeviceMemory.Demand("what the decoder computes on the way", () =>
    {
        _pause.Rest();
        using var noGradients = no_grad();
        _cache.Clear();
        _memory.Settle();
        long start = Stopwatch.GetTimestamp();
        var token_BT = Next(_prompt_BT);
        _memory.Settle();
        double first = Stopwatch.GetElapsedTime(start).TotalSeconds;
        for (int i = 1; i < _workload.Output; i++)
        {
            using var before = token_BT;
            stop.ThrowIfCancellationRequested();
            token_BT = Next(before);
        }

        _memory.Settle();
        token_BT.Dispose();
        return new WorkloadTime(first, Stopwatch.GetElapsedTime(start).TotalSeconds - first);
    });

    /// <summary>Runs twice and tells the most memory that the second run took.</summary>
    /// <param name="stop">As for <see cref="Run"/>.</param>
    /// <returns>
    /// Bytes of weights, cache, and what a run takes beside them: on a processor the rise of the resident set, on a GPU what libtorch has taken since it has these weights, for decoders that ran
    /// before included; null where nobody counts it.
    /// </returns>
    public long? PeakMemory(CancellationToken stop = default)
    {
        Run(stop); // What the first run compiles and sets up is no shape's.
        long? beside;
        if (_memory.Gpu is { } gpu)
        {
            beside = gpu.MemoryInUse() - _memory.InUseBefore;
        }
        else
        {
            beside = ResidentPeak.During(() => Run(stop));
        }

        var shape = _weights.Shape;
        long weights = shape.ParametersTotal * _workload.Weights.Bytes();
        long cached = KeyValueCache.NumbersOf(shape, _workload.Batch, _workload.Prompt + _workload.Output) * _workload.KvCache.Bytes();
        return beside is { } bytes ? weights + cached + Math.Max(0, bytes) : null;
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
