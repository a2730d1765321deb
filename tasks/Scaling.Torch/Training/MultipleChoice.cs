// Zero-shot multiple choice: the choice that the decoder finds likeliest for its length is its answer.
//
// Axes: B batch, T positions, Z = B·T, V vocabulary.
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Scaling.Torch;

/// <summary>The share of questions that a decoder answers rightly.</summary>
/// <param name="Accuracy">0 to 1.</param>
/// <param name="StandardError">Of the accuracy, over the questions: √(a·(1 − a)/(n − 1)); null for one question.</param>
/// <param name="Questions">n.</param>
public sealed record MultipleChoice(double Accuracy, double? StandardError, int Questions)
{
    /// <summary>Sequences at once; fewer where their logits would come to more than <see cref="MostLogits"/>.</summary>
    private const int Batch = 32;

    /// <summary>B·T·V: 128 MB of float32.</summary>
    private const long MostLogits = 1 << 25;

    /// <summary>Judges a decoder; of choices that it finds equally likely the first is its answer.</summary>
    /// <param name="weights">The decoder's.</param>
    /// <param name="questions">At least one.</param>
    /// <param name="context">The longest sequence that the decoder was trained on, tokens.</param>
    /// <param name="progress">Told the sequences read so far and in all.</param>
    /// <param name="stop">Ends it between batches.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    /// <exception cref="UnusableInputException">SCAL8209: the GPU's memory is too small.</exception>
    public static MultipleChoice Of(DecoderWeights weights, IReadOnlyList<ChoiceQuestion> questions, int context, Action<int, int> progress, CancellationToken stop)
    {
        double right = Scores(weights, questions, context, progress, stop).Zip(questions, (scores, q) => Array.IndexOf(scores, scores.Max()) == q.Answer ? 1.0 : 0).Sum();
        int n = questions.Count;
        double accuracy = right / n;
        return new MultipleChoice(accuracy, n < 2 ? null : Math.Sqrt(accuracy * (1 - accuracy) / (n - 1)), n);
    }

    /// <summary>
    /// Log-likelihood of every choice after its context, in nats a byte of the choice. Sequences that are longer than the decoder's lose their beginning. The division by length is
    /// that of lm-evaluation-harness's <c>acc_norm</c>, which counts characters, and of its <c>acc_bytes</c>, which counts bytes as here; for English they are the same.
    /// </summary>
    /// <param name="weights">The decoder's.</param>
    /// <param name="questions">No choice has more tokens than <paramref name="context"/>.</param>
    /// <param name="context">The longest sequence that the decoder was trained on, tokens.</param>
    /// <param name="progress">Told the sequences read so far and in all.</param>
    /// <param name="stop">Ends it between batches.</param>
    public static IReadOnlyList<double[]> Scores(
        DecoderWeights weights, IReadOnlyList<ChoiceQuestion> questions, int context, Action<int, int> progress, CancellationToken stop)
    {
        using var pause = new CollectionPause();
        using var noGradients = no_grad();
        using var decoder = new Decoder(weights, context);
        double[][] scores = [.. questions.Select(q => new double[q.Choices.Count])];

        // Sequences of like length stand together, so that little is padding; the longest first, so that memory that does not suffice is known at once.
        var sequences = questions.SelectMany((q, i) => q.Choices.Select((choice, c) => (Question: i, Choice: c, Cut: Cut.Of(choice, context))))
            .OrderByDescending(s => s.Cut.Tokens.Length).ToList();
        int batch = (int)Math.Clamp(MostLogits / ((long)(sequences[0].Cut.Tokens.Length - 1) * weights.Shape.Vocabulary), 1, Batch);
        int done = 0;
        foreach (var chunk in sequences.Chunk(batch))
        {
            stop.ThrowIfCancellationRequested();
            pause.Rest();
            foreach (var (sequence, logLikelihood) in chunk.Zip(DeviceMemory.Demand($"{chunk.Length} choices at once", () => LogLikelihoods(decoder, [.. chunk.Select(s => s.Cut)]))))
            {
                scores[sequence.Question][sequence.Choice] = logLikelihood / questions[sequence.Question].Choices[sequence.Choice].Bytes;
            }

            done += chunk.Length;
            progress(done, sequences.Count);
        }

        return scores;
    }

    /// <summary>Sum of the log-probabilities of each sequence's scored tokens. Attention is causal, so what pads a sequence at its right changes none of them.</summary>
    private static float[] LogLikelihoods(Decoder decoder, Cut[] sequences)
    {
        using var scope = NewDisposeScope();
        int length = sequences.Max(s => s.Tokens.Length) - 1;
        long[] inputs = new long[sequences.Length * length], targets = new long[inputs.Length];
        float[] scored = new float[inputs.Length];
        for (int b = 0; b < sequences.Length; b++)
        {
            long[] tokens = sequences[b].Tokens;
            for (int t = 0; t < tokens.Length - 1; t++)
            {
                inputs[b * length + t] = tokens[t];
                targets[b * length + t] = tokens[t + 1];
                scored[b * length + t] = t >= tokens.Length - 1 - sequences[b].Scored ? 1 : 0;
            }
        }

        var device = decoder.Weights.Device;
        var logits_BTV = decoder.Logits(tensor(inputs, [sequences.Length, length]).to(device));
        var nats_Z = cross_entropy(logits_BTV.flatten(0, 1), tensor(targets).to(device), reduction: nn.Reduction.None);
        return (nats_Z * tensor(scored).to(device)).view(sequences.Length, length).sum(1).neg().cpu().data<float>().ToArray();
    }

    /// <summary>A sequence of at most one token more than the decoder's context: its last token is predicted and not read.</summary>
    private sealed record Cut(long[] Tokens, int Scored)
    {
        public static Cut Of(ChoiceTokens choice, int context) => choice.Scored <= context
            ? new Cut([.. choice.Tokens.Skip(choice.Tokens.Count - context - 1).Select(t => (long)t)], choice.Scored)
            : throw new ArgumentException($"a choice of {choice.Scored} tokens does not fit a context of {context}");
    }
}
