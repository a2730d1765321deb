// What was found so far, in the order of the file.
using Scaling.Sdk;

namespace Scaling.Engine.Pipelines;

/// <summary>
/// Gathers diagnostics. Input comes from strangers and may hold a hundred thousand mistakes, so suggestions, which compare every word
/// with every candidate, are made for the first hundred findings and the first thousand candidates only.
/// </summary>
internal sealed class Findings
{
    private const int FindingsWithSuggestions = 100;
    private const int CandidatesCompared = 1000;
    private readonly List<Diagnostic> _found = [];

    public void Add(Diagnostic finding) => _found.Add(finding);

    /// <summary>Adds that a value has another form than is expected, unless it was refused as YAML already.</summary>
    public void AddWrong(YamlNode node, string owner, string expected, string? hint = null)
    {
        if (node is not YamlRefused)
        {
            Add(PipelineDiagnostics.WrongForm(node.Location, owner, expected, PipelineDiagnostics.Found(node), hint));
        }
    }

    /// <summary>The values by key; keys that are not allowed are added. A key without a value counts as absent, so that the last setting under it may be commented out.</summary>
    public Dictionary<string, YamlNode> Keys(YamlMapping mapping, string owner, string[] allowed, string? elsewhere = null)
    {
        var keys = new Dictionary<string, YamlNode>(StringComparer.Ordinal);
        foreach (var (key, value) in mapping.Entries)
        {
            if (!allowed.Contains(key.Text))
            {
                Add(PipelineDiagnostics.UnknownKey(key.Location, owner, key.Text, allowed, Nearest(key.Text, allowed) ?? elsewhere));
            }
            else if (!value.IsNull)
            {
                keys.Add(key.Text, value);
            }
        }

        return keys;
    }

    /// <summary><c>Did you mean 'fit'?</c> or null.</summary>
    public string? Nearest(string word, IEnumerable<string> candidates) =>
        NearestWord(word, candidates) is { } nearest ? $"Did you mean '{PipelineDiagnostics.Shown(nearest)}'?" : null;

    /// <summary>Whether an unknown key, which is reported, probably means that one: then it is not missing too.</summary>
    public bool IsMisspelt(YamlMapping mapping, string key, IReadOnlyList<string> allowed) =>
        mapping.Entries.Any(e => !allowed.Contains(e.Key.Text) && NearestWord(e.Key.Text, allowed) == key);

    private string? NearestWord(string word, IEnumerable<string> candidates) =>
        _found.Count < FindingsWithSuggestions ? NearestSpelling.Of(word, candidates.Take(CandidatesCompared)) : null;

    /// <summary>By line and column; what stands at one place keeps its order.</summary>
    public IReadOnlyList<Diagnostic> InOrder() =>
        [.. _found.OrderBy(f => f.Location?.Line ?? 0).ThenBy(f => f.Location?.Column ?? 0)];
}
