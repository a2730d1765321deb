// The loss of a decoder on tokens that it has not seen.
//
// Axes: B batch, T context, Z = B·T, V vocabulary.
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Scaling.Torch;

/// <summary>Mean cross-entropy on the held-out slice.</summary>
/// <param name="Nats">Nats a token.</param>
/// <param name="StandardError">Of the mean, nats a token: the spread of the windows' means over √windows. What is common to all models of one slice is in it too.</param>
/// <param name="Tokens">Tokens judged.</param>
public sealed record HeldOutLoss(double Nats, double StandardError, long Tokens)
{
    private const int MostWindows = 32;

    /// <summary>The most logits, B·T·V, at once: 512 MB with their logarithms.</summary>
    private const int MostLogits = 1 << 26;

    /// <summary>
    /// Judges the same windows for every decoder: as many as the asked tokens fill, at even distances over the held-out part, all of it where that is shorter.
    /// Each window starts afresh, so its first tokens have little context, as in training. Products are float32 on every device, so that losses compare.
    /// </summary>
    /// <param name="weights">The decoder's.</param>
    /// <param name="heldOut">More tokens than a window.</param>
    /// <param name="context">Tokens a window.</param>
    /// <param name="tokens">How many to judge; rounded to windows, at least two where there are two.</param>
    /// <exception cref="UnusableInputException">SCAL8209: the GPU's memory is too small.</exception>
    public static HeldOutLoss Of(DecoderWeights weights, TokenSequence heldOut, int context, long tokens)
    {
        using var pause = new CollectionPause();
        using var noGradients = no_grad();
        using var decoder = new Decoder(weights, context);
        long there = (heldOut.Length - 1) / context;
        int windows = (int)Math.Min(there, Math.Max(2, tokens / context));
        long[] starts = [.. Enumerable.Range(0, windows).Select(w => w * there / windows * context)];
        int batch = (int)Math.Clamp(MostLogits / ((long)context * weights.Shape.Vocabulary), 1, MostWindows);
        double[] losses = [.. starts.Chunk(batch).SelectMany(chunk => Losses(decoder, heldOut, chunk, context, pause))];
        double mean = losses.Average();
        double variance = losses.Length < 2 ? 0 : losses.Sum(l => (l - mean) * (l - mean)) / (losses.Length - 1);
        return new HeldOutLoss(mean, Math.Sqrt(variance / losses.Length), (long)windows * context);
    }

    private static float[] Losses(Decoder decoder, TokenSequence heldOut, long[] starts, int context, CollectionPause pause)
    {
        pause.Rest();
        return DeviceMemory.Demand($"the evaluation of {starts.Length} windows of {context} tokens", () => Losses(decoder, heldOut, starts, context));
    }

    private static float[] Losses(Decoder decoder, TokenSequence heldOut, long[] starts, int context)
    {
        using var scope = NewDisposeScope();
        long[] batch = new long[starts.Length * (context + 1)];
        for (int b = 0; b < starts.Length; b++)
        {
            heldOut.CopyTo(starts[b], batch.AsSpan(b * (context + 1), context + 1));
        }

        var tokens_BT1 = tensor(batch, [starts.Length, context + 1]).to(decoder.Weights.Device);
        var logits_BTV = decoder.Logits(tokens_BT1.narrow(1, 0, context));
        // Flat, because over B × V × T the softmax would step through memory in strides of V.
        var nats_Z = cross_entropy(logits_BTV.flatten(0, 1), tokens_BT1.narrow(1, 1, context).flatten(), reduction: nn.Reduction.None);
        return nats_Z.view(starts.Length, context).mean([1]).cpu().data<float>().ToArray();
    }
}
