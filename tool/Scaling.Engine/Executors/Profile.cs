// The user's profile: what a site's cluster needs of every pipeline, so that pipelines need not say it.
using Scaling.Engine.Pipelines;
using Scaling.Sdk;

namespace Scaling.Engine.Executors;

/// <summary>Reads profiles: YAML with <c>executor:</c>, <c>resources:</c> and nothing else, within the limits that pipeline files have.</summary>
public static class Profile
{
    /// <summary>Reads a profile. One that is empty, or has comments alone, says nothing.</summary>
    /// <param name="path">Of a file that is there.</param>
    /// <returns>What it says, and the findings (SCAL20xx) in the order of the file; with findings nothing shall run by it.</returns>
    public static (Placement Placement, IReadOnlyList<Diagnostic> Findings) Read(string path)
    {
        var findings = new Findings();
        var root = YamlReader.Read(path, findings);
        if (root is YamlMapping mapping)
        {
            var keys = findings.Keys(mapping, "A profile", PlacementReader.Keys, "What else a study is belongs into its pipeline file.");
            var placement = new PlacementReader(findings).Read(keys.GetValueOrDefault("executor"), keys.GetValueOrDefault("resources"), "");
            return (placement, findings.InOrder());
        }

        if (root is { IsNull: false } and not YamlRefused)
        {
            findings.Add(PipelineDiagnostics.NotAProfile(root.Location, PipelineDiagnostics.Found(root)));
        }

        var found = findings.InOrder();
        return (Placement.None, found is [{ Code: PipelineDiagnostics.EmptyCode }] ? [] : found);
    }
}
