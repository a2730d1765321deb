// The shape to beat: read from a configuration, or built at the searched size.
using Scaling.Architectures;
using Scaling.Sdk;

namespace Scaling.Stages.Search;

internal static class BaselineShape
{
    /// <summary>The shape of <c>baseline.config</c>; null where there is none.</summary>
    /// <exception cref="StageFailedException">SCAL7312: more or less than one description of a baseline; SCAL7325: the file is no Llama's configuration.</exception>
    public static DecoderShape? Configured(SearchSettings settings)
    {
        if (settings.Baseline is not { } baseline)
        {
            return null;
        }

        if (baseline.Config is null)
        {
            return baseline is { Hidden: not null } && baseline.Ratio is null != baseline.Intermediate is null
                ? null
                : throw new StageFailedException(
                    "SCAL7312", "The baseline needs 'config', or 'hidden' with 'ratio' or 'intermediate' and not both.",
                    "Write, for example, 'baseline: { config: config.json }' or 'baseline: { hidden: 2048, ratio: 4.8, gqa: 4 }'.");
        }

        string[] beside = [.. new (object? Value, string Name)[] { (baseline.Hidden, "hidden"), (baseline.Ratio, "ratio"), (baseline.Intermediate, "intermediate"), (baseline.Gqa, "gqa") }
            .Where(s => s.Value is not null).Select(s => $"'{s.Name}'")];
        if (beside.Length > 0 || baseline.Config.Paths.Count != 1)
        {
            throw new StageFailedException(
                "SCAL7312", beside.Length > 0 ? $"The baseline has a 'config' and {string.Join(", ", beside)}; the file says them all." : $"'baseline.config' names {baseline.Config.Paths.Count} files.",
                beside.Length > 0 ? $"Remove {string.Join(", ", beside)}, or 'config'." : "Name one.");
        }

        string path = baseline.Config.Paths[0];
        var (shape, flaws) = HuggingFaceReading.Of(File.ReadAllText(path));
        return shape ?? throw new StageFailedException([.. flaws.Select(flaw => new Diagnostic("SCAL7325", $"The baseline is no Llama: {flaw}.")
        {
            Location = new SourceLocation(path), Hint = "Give the config.json of a LlamaForCausalLM.",
        })]);
    }

    /// <summary>The settings with their size: where none is said, that of the configuration.</summary>
    /// <param name="settings">As written.</param>
    /// <param name="configured">As <see cref="Configured"/> gave it.</param>
    /// <exception cref="StageFailedException">SCAL2090: neither says one.</exception>
    public static SearchSettings Sized(SearchSettings settings, DecoderShape? configured) => settings.Size is not null ? settings : settings with
    {
        Size = configured?.Parameters ?? throw new StageFailedException("SCAL2090", "The search is told no size.", "Write, for example, 'size: 1B', or give it the configuration of a baseline: 'baseline: { config: config.json }'."),
    };

    /// <summary>The baseline of a search; null without one.</summary>
    /// <param name="context">Where warnings go.</param>
    /// <param name="settings">With their size settled.</param>
    /// <param name="configured">As <see cref="Configured"/> gave it.</param>
    /// <param name="axes">Of the candidates; the first value of each is the baseline's.</param>
    /// <param name="multipleOf">Of its intermediate size.</param>
    /// <exception cref="StageFailedException">SCAL7312: it cannot be built.</exception>
    public static DecoderShape? Of(StageContext<SearchSettings> context, SearchSettings settings, DecoderShape? configured, SearchAxes axes, int multipleOf)
    {
        if (settings.Baseline is not { } baseline)
        {
            if (settings.LossAtMost is null)
            {
                context.Warn("SCAL7305", "There is no baseline, so every candidate counts as feasible and 'efficient' is simply the best by the objective.", "Set 'baseline' or 'loss_at_most', also where the sweep has one: it is not taken from there.");
            }

            return null;
        }

        var shape = configured ?? Built(settings, baseline, axes, multipleOf);
        double miss = shape.Parameters / (double)settings.SettledSize - 1;
        if (settings.Hold == HeldQuantity.Parameters && Math.Abs(miss) > settings.Tolerance)
        {
            context.Warn(
                "SCAL7313", $"The baseline has {shape.Parameters} parameters, {miss:+0.0%;-0.0%} against the size, where candidates stay within {settings.Tolerance:0.0%}.",
                $"Its size moves its loss. {(configured is null ? "Choose another 'hidden'" : $"Write 'size: {shape.Parameters}'")}, or raise 'tolerance'.");
        }

        return shape;
    }

    private static DecoderShape Built(SearchSettings settings, BaselineSettings baseline, SearchAxes axes, int multipleOf)
    {
        var request = new ShapeRequest(
            settings.SettledSize, axes.Layers[0], 0, baseline.Ratio ?? 0, baseline.Gqa ?? axes.Gqa[0], axes.HeadSize[0], multipleOf, axes.Vocabulary, axes.Tied);
        var (shape, reason) = baseline.Intermediate is { } intermediate
            ? ShapeGenerator.WithHiddenAndIntermediate(request, baseline.Hidden!.Value, intermediate)
            : ShapeGenerator.WithHidden(request, baseline.Hidden!.Value);
        return shape ?? throw new StageFailedException(
            "SCAL7312", $"The baseline cannot be built with {settings.SettledSize} parameters: {reason}.", "Choose a smaller 'hidden', 'ratio' or 'gqa' for it.");
    }
}
