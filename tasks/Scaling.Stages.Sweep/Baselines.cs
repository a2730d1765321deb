// Shapes of the user that the swept ones are held against, read from Hugging Face configurations.
using Scaling.Architectures;
using Scaling.Sdk;

namespace Scaling.Stages.Sweep;

/// <summary>A baseline in the sweep.</summary>
/// <param name="Shape">Its shape.</param>
/// <param name="Size">The asked size that it is nearest to; its own where none is within the tolerance.</param>
/// <param name="SizeIndex">Position of that size; of the nearest where it is its own.</param>
internal sealed record Baseline(DecoderShape Shape, double Size, int SizeIndex);

internal static class Baselines
{
    /// <summary>Every file's shape.</summary>
    /// <exception cref="StageFailedException">SCAL7405: a file is no such configuration; SCAL7406: another vocabulary; SCAL7407: one loss for several.</exception>
    public static IReadOnlyList<Baseline> Read(StageContext<SweepSettings> context)
    {
        var settings = context.Settings;
        var found = new List<Diagnostic>();
        var baselines = new List<Baseline>();
        string[] paths = [.. settings.Baseline?.Paths ?? []];
        if (settings.BaselineLoss is not null && paths.Length != 1)
        {
            found.Add(new Diagnostic("SCAL7407", $"'baseline_loss' is the loss of one baseline, and 'baseline' names {(settings.Baseline is null ? "none" : $"{paths.Length}")}.")
            {
                Hint = settings.Baseline is null ? "Name its config.json: 'baseline: config.json'." : "Leave it out, or name one file.",
            });
        }

        foreach (string path in paths)
        {
            var (shape, flaws) = HuggingFaceReading.Of(File.ReadAllText(path));
            if (shape is null)
            {
                found.AddRange(flaws.Select(flaw => new Diagnostic("SCAL7405", $"The baseline is no configuration of a LLaMA-like decoder: {flaw}.")
                {
                    Location = new SourceLocation(path), Hint = "Give the config.json of a LlamaForCausalLM.",
                }));
            }
            else if (shape.Vocabulary != settings.Vocabulary)
            {
                found.Add(new Diagnostic("SCAL7406", $"The baseline has a vocabulary of {shape.Vocabulary}, and the sweep's is {settings.Vocabulary}: their losses a token would not compare.")
                {
                    Location = new SourceLocation(path), Hint = $"Write 'vocabulary: {shape.Vocabulary}', or give the baseline the sweep's vocabulary: embeddings are no part of its size.",
                });
            }
            else
            {
                baselines.Add(Placed(context, shape));
            }
        }

        return found.Count == 0 ? baselines : throw new StageFailedException(found);
    }

    private static Baseline Placed(StageContext<SweepSettings> context, DecoderShape shape)
    {
        var sizes = context.Settings.Sizes;
        int nearest = Enumerable.Range(0, sizes.Count).MinBy(i => Math.Abs(Math.Log((double)sizes[i] / shape.Parameters)));
        if (Math.Abs((double)shape.Parameters / sizes[nearest] - 1) <= context.Settings.Tolerance)
        {
            return new Baseline(shape, sizes[nearest], nearest);
        }

        context.Warn(
            "SCAL7408", $"The baseline {shape.Id} has {shape.Parameters} parameters, and the nearest size of the sweep is {sizes[nearest]}: it is trained for a budget of its own.",
            $"To hold it against shapes of its size, add {shape.Parameters} to 'sizes'.");
        return new Baseline(shape, shape.Parameters, nearest);
    }
}
