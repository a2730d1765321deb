// How fast a shape serves a workload, from the time of a prefill and of a decode step.
namespace Scaling.Architectures;

/// <summary>Predicts how long passes through a decoder take on one machine.</summary>
public interface ISpeedModel
{
    /// <summary>Seconds of the prompt, up to the first token.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="workload">What it serves.</param>
    double PrefillSeconds(DecoderShape shape, Workload workload);

    /// <summary>Seconds of one decode step.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="workload">What it serves.</param>
    /// <param name="context">c, positions that it looks at.</param>
    double DecodeStepSeconds(DecoderShape shape, Workload workload, double context);
}

/// <summary>What serving a workload takes.</summary>
/// <param name="TimeToFirstToken">Seconds of the prefill.</param>
/// <param name="TimePerOutputToken">Mean seconds of a decode step; of the first one where only one token is written.</param>
/// <param name="Batch">Sequences served together.</param>
/// <param name="TokensPerSecond">Output tokens: B·T over prefill and T − 1 decode steps. Of all t devices together.</param>
/// <param name="TotalTokensPerSecond">Tokens read and written: B·(S + T) over the same time.</param>
/// <param name="Latency">Seconds until a batch has its last token: prefill and T − 1 decode steps.</param>
/// <param name="KvBytesPerToken">Keys and values that a token leaves in the cache, bytes; those that tensor parallelism copies are counted once.</param>
/// <param name="MemoryBytes">Weights and a full cache on one device, bytes.</param>
public sealed record Speed(
    double TimeToFirstToken, double TimePerOutputToken, int Batch, double TokensPerSecond, double TotalTokensPerSecond, double Latency, double KvBytesPerToken, double MemoryBytes)
{
    /// <summary>From the two times.</summary>
    /// <param name="shape">What serves.</param>
    /// <param name="workload">What is served.</param>
    /// <param name="timeToFirstToken">Seconds.</param>
    /// <param name="timePerOutputToken">Mean seconds of a decode step.</param>
    public static Speed Of(DecoderShape shape, Workload workload, double timeToFirstToken, double timePerOutputToken)
    {
        double latency = timeToFirstToken + (workload.Output - 1) * timePerOutputToken;
        return new Speed(
            timeToFirstToken, timePerOutputToken, workload.Batch, (double)workload.Batch * workload.Output / latency,
            workload.Batch * ((double)workload.Prompt + workload.Output) / latency, latency,
            InferenceCost.KvBytesPerToken(shape, workload.KvCache.Bytes()), ServingMemory.Bytes(shape, workload));
    }

    /// <summary>
    /// As a model predicts it. One step at the mean context stands for all: bytes and FLOPs are linear in the context, and of each operator always the same one binds.
    /// </summary>
    /// <param name="model">Of the machine.</param>
    /// <param name="shape">What serves.</param>
    /// <param name="workload">What is served.</param>
    public static Speed Predict(ISpeedModel model, DecoderShape shape, Workload workload) =>
        Of(shape, workload, model.PrefillSeconds(shape, workload), model.DecodeStepSeconds(shape, workload, workload.MeanContext));
}
