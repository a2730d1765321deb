// --set: settings of a pipeline changed from outside, read and checked as if they stood in the file.
using Scaling.Sdk;

namespace Scaling.Engine.Pipelines;

/// <summary>Puts <c>STAGE.SETTING=VALUE</c> in place of what a pipeline file says; VALUE is YAML, and <c>seed=VALUE</c> is the pipeline's.</summary>
public static class SettingOverrides
{
    private const string Form = "Write --set STAGE.SETTING=VALUE, for example --set runs.tokens_per_parameter=[10,20], or --set seed=7.";

    /// <summary>The document with the settings changed, and what is wrong with them; types and ranges are checked when it is linked.</summary>
    /// <param name="document">As read.</param>
    /// <param name="sets">As typed; a later one wins.</param>
    public static (PipelineDocument Document, IReadOnlyList<Diagnostic> Findings) Apply(PipelineDocument document, IReadOnlyList<string> sets)
    {
        var findings = new Findings();
        foreach (string set in sets)
        {
            document = Apply(document, set, findings);
        }

        return (document with { Overrides = [.. sets] }, findings.InOrder());
    }

    private static PipelineDocument Apply(PipelineDocument document, string set, Findings findings)
    {
        string source = $"--set {set}";
        string[] parts = set.Split('=', 2);
        string[] path = parts[0].Split('.');
        if (parts.Length < 2 || path.Any(p => p.Length == 0))
        {
            findings.Add(new Diagnostic("SCAL1070", $"--set takes STAGE.SETTING=VALUE, found '{set}'.") { Hint = Form });
            return document;
        }

        if (path is ["seed"])
        {
            return Seed(document, parts[1], findings);
        }

        if (document.Stages.FirstOrDefault(s => s.Id == path[0]) is not { } stage)
        {
            string[] ids = [.. document.Stages.Select(s => s.Id)];
            findings.Add(new Diagnostic("SCAL1071", $"--set names the stage '{path[0]}', which is not there. There are: {string.Join(", ", ids)}.") { Hint = NearestSpelling.Hint(path[0], ids) });
            return document;
        }

        if (path.Length < 2)
        {
            findings.Add(new Diagnostic("SCAL1070", $"--set {set} names a stage and no setting of it.") { Hint = Form });
            return document;
        }

        // An empty value is a setting that is not given: its default.
        if (YamlReader.ReadText(source, parts[1].Length == 0 ? "null" : parts[1], findings) is not { } value)
        {
            return document;
        }

        var place = new SourceLocation(source, 1, 1);
        var with = Put(stage.With as YamlMapping ?? new YamlMapping([], place), path.AsSpan(1), value, place);
        return document with { Stages = [.. document.Stages.Select(s => s == stage ? s with { With = with } : s)] };
    }

    private static PipelineDocument Seed(PipelineDocument document, string text, Findings findings)
    {
        if (Quantity.TryParse(text, out var quantity) && quantity.TryWhole(out long seed))
        {
            return document with { Seed = seed };
        }

        findings.Add(new Diagnostic("SCAL1072", $"--set seed takes a whole number of 64 bits, found '{text}'."));
        return document;
    }

    private static YamlMapping Put(YamlMapping mapping, ReadOnlySpan<string> path, YamlNode value, SourceLocation place)
    {
        string name = path[0];
        var old = mapping.Entries.FirstOrDefault(e => e.Key.Text == name);
        var inner = path.Length == 1 ? value : Put(old?.Value as YamlMapping ?? new YamlMapping([], place), path[1..], value, place);
        var entry = new YamlEntry(new YamlScalar(name, Quoted: false, place), inner);
        return mapping with { Entries = old is null ? [.. mapping.Entries, entry] : [.. mapping.Entries.Select(e => e == old ? entry : e)] };
    }
}
