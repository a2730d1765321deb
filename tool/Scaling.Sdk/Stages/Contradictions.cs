// What a stage says of itself must hold together before anything is planned from it, or written where it says.
namespace Scaling.Sdk;

public sealed partial record StageDeclaration
{
    /// <summary>
    /// What is wrong with the declaration, each as the end of a sentence that begins with the stage, for example <c>with two outputs 'a.csv'</c>; empty where it is sound. The tool refuses a plugin with any
    /// of them (SCAL6010).
    /// </summary>
    public IEnumerable<string> Contradictions()
    {
        string[] outputs = [.. Outputs.Select(o => o.Name), .. Prepare?.Outputs ?? []];
        foreach (string name in outputs.Where(name => !IsBelow(name)))
        {
            yield return $"whose output '{name}' is no relative path below its folder";
        }

        foreach (string name in Outputs.Select(o => o.Name).Where(name => name is "failed.csv" or "logs" || name.StartsWith("logs/", StringComparison.Ordinal)))
        {
            yield return $"whose output '{name}' has a name that a run writes itself";
        }

        foreach (var twice in Outputs.GroupBy(o => o.Name, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1))
        {
            yield return $"with two outputs '{twice.Key}'";
        }

        foreach (var twice in Inputs.GroupBy(i => i.Name, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1))
        {
            yield return $"with two roles '{twice.Key}'";
        }

        foreach (var role in Inputs.Where(i => !IsBelow(i.Name) || i.Name.Contains('/', StringComparison.Ordinal)))
        {
            yield return $"whose role '{role.Name}' is no plain name";
        }

        foreach (var role in Inputs.Where(i => i.Feedback && i.Cardinality == Cardinality.One))
        {
            yield return $"whose role '{role.Name}' takes feedback, which the first round has none of, and takes exactly one";
        }

        foreach (var twice in Inputs.Where(i => i.Feedback).GroupBy(i => i.Kind).Where(g => g.Count() > 1))
        {
            yield return $"with two roles that take '{twice.Key}' as feedback, which is bound by kind";
        }

        if (Inputs.Any(i => i.Feedback) && (!Enumerating || FanOut is not null))
        {
            yield return "that takes feedback and is not enumerating, or fans out";
        }

        if (FanOut is not { } fanOut)
        {
            yield break;
        }

        if (!Inputs.Any(i => i.Name == fanOut.Role && i.Cardinality == Cardinality.One))
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

    /// <summary>Whether a name is a relative path that stays below the folder it is put under.</summary>
    internal static bool IsBelow(string name) =>
        !Path.IsPathRooted(name) && !name.Contains('\\', StringComparison.Ordinal) && !name.Contains('\0', StringComparison.Ordinal)
        && Array.TrueForAll(name.Split('/'), part => part is not ("" or "." or ".."));
}
