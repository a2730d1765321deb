// What a plugin says of itself must hold together before anything is planned from it, or written where it says.
using Scaling.Sdk;

namespace Scaling.Engine.Plugins;

/// <summary>Finds contradictions in what stages declare.</summary>
public static class DeclarationCheck
{
    /// <summary>Refuses stages whose declarations contradict themselves or name files outside a stage's folder.</summary>
    /// <param name="stages">As described.</param>
    /// <param name="assembly">Whose they are.</param>
    /// <exception cref="StageFailedException">SCAL6010, one finding a contradiction.</exception>
    public static void Demand(IEnumerable<StageDescriptor> stages, string assembly)
    {
        Diagnostic[] findings =
        [
            .. stages.SelectMany(s => Contradictions(s.Declaration)
                .Select(wrong => new Diagnostic("SCAL6010", $"{Path.GetFileName(assembly)} declares a stage '{s.Declaration.Type}' {wrong}.") { Hint = "This is a defect of the stage." })),
        ];
        if (findings.Length > 0)
        {
            throw new StageFailedException(findings);
        }
    }

    /// <summary>What is wrong with a declaration, each as the end of a sentence.</summary>
    /// <param name="stage">Any stage's.</param>
    public static IEnumerable<string> Contradictions(StageDeclaration stage)
    {
        string[] outputs = [.. stage.Outputs.Select(o => o.Name), .. stage.Prepare?.Outputs ?? []];
        foreach (string name in outputs.Where(name => !IsBelow(name)))
        {
            yield return $"whose output '{name}' is no relative path below its folder";
        }

        foreach (string name in stage.Outputs.Select(o => o.Name).Where(name => name is "failed.csv" or "logs" || name.StartsWith("logs/", StringComparison.Ordinal)))
        {
            yield return $"whose output '{name}' has a name that a run writes itself";
        }

        foreach (var twice in stage.Outputs.GroupBy(o => o.Name, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1))
        {
            yield return $"with two outputs '{twice.Key}'";
        }

        foreach (var twice in stage.Inputs.GroupBy(i => i.Name, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1))
        {
            yield return $"with two roles '{twice.Key}'";
        }

        foreach (var role in stage.Inputs.Where(i => !IsBelow(i.Name) || i.Name.Contains('/', StringComparison.Ordinal)))
        {
            yield return $"whose role '{role.Name}' is no plain name";
        }

        if (stage.FanOut is not { } fanOut)
        {
            yield break;
        }

        if (!stage.Inputs.Any(i => i.Name == fanOut.Role && i.Cardinality == Cardinality.One))
        {
            yield return $"that fans out over '{fanOut.Role}', which is no role of exactly one input";
        }

        if (fanOut.Optional.Keys.Intersect(fanOut.Reads).FirstOrDefault() is { } both)
        {
            yield return $"whose column '{both}' is both read and optional";
        }

        if (fanOut.Point.Except(fanOut.Reads).Except(fanOut.Optional.Keys).FirstOrDefault() is { } unread)
        {
            yield return $"whose point has the column '{unread}', which it does not read";
        }
    }

    private static bool IsBelow(string name) =>
        !Path.IsPathRooted(name) && !name.Contains('\\', StringComparison.Ordinal) && !name.Contains('\0', StringComparison.Ordinal)
        && Array.TrueForAll(name.Split('/'), part => part is not ("" or "." or ".."));
}
