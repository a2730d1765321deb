// Depth, head size, grouping and vocabulary of the candidates: what laws seldom have a term for.
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Search;

/// <summary>Values of the axes beside x and ratio.</summary>
internal sealed record SearchAxes(IReadOnlyList<int> Layers, IReadOnlyList<int> HeadSize, IReadOnlyList<int> Gqa, int Vocabulary, bool Tied)
{
    /// <summary>
    /// Takes each from its setting, else from the law's runs, else from the baseline's configuration; vocabulary and tying from the configuration before the runs, since embeddings of another size
    /// would change speed alone.
    /// </summary>
    /// <exception cref="StageFailedException">SCAL7301: an axis is neither set nor the same in all runs, and there is no such configuration. All such axes at once.</exception>
    public static SearchAxes Of(SearchSettings settings, LawContext runs, DecoderShape? configured)
    {
        var missing = new List<Diagnostic>();
        IReadOnlyList<T> Axis<T>(string name, IReadOnlyList<T>? setting, IReadOnlyList<T> seen, Func<DecoderShape, T> ofBaseline)
        {
            if (setting is not null || seen.Count == 1)
            {
                return [.. (setting ?? seen).Distinct().Order()];
            }

            if (configured is not null)
            {
                return [ofBaseline(configured)];
            }

            string found = seen.Count == 0 ? $"The law's runs do not say their '{name}'" : $"The law's runs have several values of '{name}' ({List(seen)})";
            missing.Add(new Diagnostic("SCAL7301", $"{found}, and the law has no term for it.") { Hint = $"Set '{name}' under 'with:', or give 'baseline.config'." });
            return [default!];
        }

        var axes = new SearchAxes(
            Axis("layers", settings.Layers, Whole(runs.Layers), s => s.Layers),
            Axis("head_size", settings.HeadSize, Whole(runs.HeadSize), s => s.HeadSize),
            Axis("gqa", settings.Gqa, Whole(runs.Gqa), s => s.Heads / s.KvHeads),
            Axis("vocabulary", settings.Vocabulary is { } v ? [v] : null, configured is null ? Whole(runs.Vocabulary) : [configured.Vocabulary], s => s.Vocabulary)[0],
            Axis("tied", settings.Tied is { } tied ? [tied] : null, configured is null ? runs.Tied : [configured.Tied], s => s.Tied)[0]);
        return missing.Count == 0 ? axes : throw new StageFailedException(missing);
    }

    /// <summary>The axes of shapes that are given.</summary>
    /// <param name="shapes">At least one.</param>
    public static SearchAxes Of(IReadOnlyList<DecoderShape> shapes) => new(
        [.. shapes.Select(s => s.Layers).Distinct().Order()], [.. shapes.Select(s => s.HeadSize).Distinct().Order()],
        [.. shapes.Select(s => s.Heads / s.KvHeads).Distinct().Order()], shapes[0].Vocabulary, shapes[0].Tied);

    /// <summary>Refuses to compare across an axis that nothing tells the cost of, and says where no run was.</summary>
    /// <param name="context">For warnings.</param>
    /// <param name="law">Its terms and where its runs lie.</param>
    /// <param name="penalties">What the user says of the axes.</param>
    /// <param name="baseline">Compared with the candidates; null for none.</param>
    /// <exception cref="StageFailedException">SCAL7302: candidates and baseline have several values of an axis without a term or a penalty. All such axes at once.</exception>
    public void Check(StageContext<SearchSettings> context, LawDocument law, Penalties penalties, DecoderShape? baseline)
    {
        var found = new List<Diagnostic>();
        void Axis(PenalisedAxis axis, IReadOnlyList<int> searched, bool term, IReadOnlyList<double> seen)
        {
            double[] compared = [.. searched.Select(v => (double)v).Concat(baseline is null ? [] : [axis.Of(baseline)]).Distinct().Order()];
            if (!term && axis.Nats is null && compared.Length > 1)
            {
                found.Add(new Diagnostic(
                    "SCAL7302", $"Candidates{(baseline is null ? "" : " and baseline")} have {List(compared)} for '{axis.Name}', and the law has no term for it: in its eyes every one of them loses the same.")
                {
                    Hint = $"Keep one value{(baseline is null ? "" : ", the baseline's")}, fit runs that differ in it, or say what a doubling costs: 'penalties: {{ {axis.Name}: 0.002 }}' (nats a token; 0 if you believe that it costs nothing).",
                });
            }
            else if (!term && axis.Nats is null)
            {
                WarnOfStrange(context, axis.Name, compared, seen);
            }
        }

        Axis(penalties.Axes[0], Gqa, law.Shape!.Terms.Any(t => t.Term == LawTerm.Gqa), law.Context.Gqa);
        Axis(penalties.Axes[1], Layers, law.Shape.Form == LawForm.WidthOverDepth, law.Context.Layers);
        Axis(penalties.Axes[2], HeadSize, false, law.Context.HeadSize);
        if (found.Count > 0)
        {
            throw new StageFailedException(found);
        }

        if (baseline is not null && (baseline.Vocabulary, baseline.Tied) != (Vocabulary, Tied))
        {
            context.Warn(
                "SCAL7332", $"The candidates have a vocabulary of {Vocabulary}, {(Tied ? "tied" : "untied")}, the baseline one of {baseline.Vocabulary}, {(baseline.Tied ? "tied" : "untied")}: part of what they differ in speed by is the output head.",
                "Set 'vocabulary' and 'tied' to the baseline's, or leave them out.");
        }

        WarnOfStrange(context, "vocabulary", [Vocabulary], law.Context.Vocabulary);
        WarnOfStrange(context, "tied", [Tied], law.Context.Tied);
    }

    private static void WarnOfStrange<T>(StageContext<SearchSettings> context, string name, IReadOnlyList<T> values, IReadOnlyList<T> seen)
    {
        T[] strange = [.. values.Where(v => !seen.Contains(v))];
        if (seen.Count > 0 && strange.Length > 0)
        {
            context.Warn(
                "SCAL7321", $"'{name}' is {List(strange)} where the law's runs have {List(seen)}, and the law has no term for it.",
                "Predicted losses assume that it changes nothing; train a few runs there before believing them.");
        }
    }

    private static int[] Whole(IReadOnlyList<double> values) => [.. values.Where(double.IsInteger).Select(v => (int)v)];

    private static string List<T>(IEnumerable<T> values) => string.Join(", ", values.Select(v => Table.Cell(v)));
}
