// The key format: KEYS.md's own vectors, and what must and must not change a key.
using System.Text.RegularExpressions;
using CsCheck;
using Scaling.Engine.Keys;
using Scaling.TestKit;

namespace Scaling.Engine.Tests.Keys;

public sealed class ActionKeyTests
{
    private static readonly Gen<KeyEntry> Entry = Gen.Select(Gen.String, Gen.String, Gen.String, (kind, name, value) => new KeyEntry(kind, name, value));

    [Fact]
    public void The_vectors_of_the_specification_hold()
    {
        string page = File.ReadAllText(Path.Combine(Repository.Root, "tool", "Scaling.Engine", "Keys", "KEYS.md"));
        var vectors = Regex.Matches(page, @"^\| (?<entries>none|`\(.+\)`) \| `(?<key>[0-9a-f]{64})` \|$", RegexOptions.Multiline);

        Assert.Equal(7, vectors.Count);
        foreach (Match vector in vectors)
        {
            KeyEntry[] entries =
            [
                .. Regex.Matches(vector.Groups["entries"].Value, "\\(\"(?<kind>[^\"]*)\",\"(?<name>[^\"]*)\",\"(?<value>[^\"]*)\"\\)")
                    .Select(e => new KeyEntry(e.Groups["kind"].Value, e.Groups["name"].Value, e.Groups["value"].Value)),
            ];
            Assert.Equal(vector.Groups["key"].Value, ActionKey.Of(entries));
        }
    }

    [Fact]
    public void Any_change_of_any_field_changes_the_key() =>
        Gen.Select(Entry.Array[1, 6], Gen.Int[0, 17], Gen.String).Sample((entries, at, other) =>
        {
            var entry = entries[at / 3 % entries.Length];
            var changed = (at % 3) switch { 0 => entry with { Kind = other }, 1 => entry with { Name = other }, _ => entry with { Value = other } };
            KeyEntry[] mutated = [.. entries];
            mutated[at / 3 % entries.Length] = changed;
            return (changed == entry) == (ActionKey.Of(entries) == ActionKey.Of(mutated));
        });

    [Fact]
    public void Swapping_two_different_entries_changes_the_key() =>
        Gen.Select(Entry.Array[2, 6], Gen.Int[0, 100], Gen.Int[0, 100]).Sample((entries, i, j) =>
        {
            KeyEntry[] swapped = [.. entries];
            (swapped[i % swapped.Length], swapped[j % swapped.Length]) = (swapped[j % swapped.Length], swapped[i % swapped.Length]);
            return entries.SequenceEqual(swapped) == (ActionKey.Of(entries) == ActionKey.Of(swapped));
        });

    [Fact]
    public void Moving_text_between_neighbouring_fields_changes_the_key() =>
        Gen.Select(Gen.String[1, 8], Gen.Int[0, 8]).Sample((text, at) =>
        {
            at = Math.Min(at, text.Length - 1);
            if (char.IsSurrogate(text[at]) || (at > 0 && char.IsSurrogate(text[at - 1])))
            {
                return true;
            }

            return ActionKey.Of([new KeyEntry("k", text[..at], text[at..])]) != ActionKey.Of([new KeyEntry("k", text, "")]);
        });
}
