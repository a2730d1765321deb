// A Markdown file of the repository as a reader uses it: commands to type, what they print, links to follow.
using System.Text.RegularExpressions;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

/// <summary>A fenced block of shell commands.</summary>
/// <param name="Line">Of its fence, from 1.</param>
/// <param name="Commands">Each as it is typed, lines that a backslash or a here-document joins together.</param>
/// <param name="NotRun">Why no test executes it, as the comment before it says: <c>&lt;!-- not run: REASON --&gt;</c>; null where one does.</param>
/// <param name="Output">The block of text that follows, which is what the commands print; null without.</param>
public sealed record ShellBlock(int Line, IReadOnlyList<string> Commands, string? NotRun, string? Output);

/// <summary>A Markdown file.</summary>
public sealed partial class MarkdownFile
{
    private readonly string[] _lines;

    private MarkdownFile(string path)
    {
        Path = path;
        Name = System.IO.Path.GetRelativePath(Repository.Root, path);
        _lines = File.ReadAllLines(path);
        Blocks = [.. ReadBlocks()];
    }

    /// <summary>Every one that is written by hand and speaks of the repository as it is: no changelog, no report that a run wrote, nothing that a build made.</summary>
    public static IReadOnlyList<MarkdownFile> All { get; } =
    [
        .. Below(Repository.Root).Select(path => System.IO.Path.GetRelativePath(Repository.Root, path)).Where(name => System.IO.Path.GetFileName(name) is not ("CHANGELOG.md" or "report.md"))
            .Order(StringComparer.Ordinal).Select(name => new MarkdownFile(System.IO.Path.Combine(Repository.Root, name))),
    ];

    /// <summary>Absolute.</summary>
    public string Path { get; }

    /// <summary>Relative to the repository.</summary>
    public string Name { get; }

    /// <summary>Those of shell commands, in order.</summary>
    public IReadOnlyList<ShellBlock> Blocks { get; }

    /// <summary>What links and images outside code point to, with the line.</summary>
    public IEnumerable<(int Line, string Target)> Links =>
        Prose().SelectMany(p => Link().Matches(Code().Replace(p.Text, "")).Select(m => (p.Line, m.Groups["target"].Value)));

    /// <summary>What stands between backticks, with the line.</summary>
    public IEnumerable<(int Line, string Text)> Spans => Prose().SelectMany(p => Code().Matches(p.Text).Select(m => (p.Line, m.Groups[1].Value)));

    /// <summary>Of its headings, as GitHub makes them: lower case, spaces become hyphens, other punctuation goes, and what comes twice gets a number.</summary>
    public IReadOnlySet<string> Anchors
    {
        get
        {
            var anchors = new HashSet<string>(StringComparer.Ordinal);
            foreach (string heading in Prose().Where(p => p.Text.StartsWith('#')).Select(p => p.Text.TrimStart('#').Trim()))
            {
                string anchor = Punctuation().Replace(Link().Replace(heading, m => m.Value[1..m.Value.IndexOf(']', StringComparison.Ordinal)]).ToLowerInvariant(), "").Replace(' ', '-');
                for (int i = 1; !anchors.Add(anchor); i++)
                {
                    anchor = i == 1 ? $"{anchor}-1" : $"{anchor[..anchor.LastIndexOf('-')]}-{i}";
                }
            }

            return anchors;
        }
    }

    public override string ToString() => Name;

    private static IEnumerable<string> Below(string folder) =>
    [
        .. Directory.EnumerateFiles(folder, "*.md"),
        .. Directory.EnumerateDirectories(folder).Where(f => System.IO.Path.GetFileName(f) is var name && name is not ("bin" or "obj" or "node_modules" or "TestResults") && name[0] != '.')
            .Where(f => f != System.IO.Path.Combine(Repository.Root, "results")).SelectMany(Below),
    ];

    /// <summary>Lines outside fenced blocks.</summary>
    private IEnumerable<(int Line, string Text)> Prose()
    {
        bool inside = false;
        for (int i = 0; i < _lines.Length; i++)
        {
            if (_lines[i].TrimStart().StartsWith("```", StringComparison.Ordinal))
            {
                inside = !inside;
            }
            else if (!inside)
            {
                yield return (i + 1, _lines[i]);
            }
        }
    }

    private IEnumerable<ShellBlock> ReadBlocks()
    {
        for (int i = 0; i < _lines.Length; i++)
        {
            if (!_lines[i].TrimStart().StartsWith("```", StringComparison.Ordinal))
            {
                continue;
            }

            int begin = i, end = End(begin);
            i = end;
            if (_lines[begin].Trim() == "```sh")
            {
                string before = _lines[..begin].LastOrDefault(line => line.Length > 0) ?? "";
                int next = Array.FindIndex(_lines, end + 1, line => line.Length > 0);
                bool shown = next > 0 && _lines[next].Trim() == "```text";
                yield return new ShellBlock(
                    begin + 1, [.. Typed(_lines[(begin + 1)..end])], NotRun().Match(before.Trim()) is { Success: true } m ? m.Groups[1].Value : null, shown ? string.Join('\n', _lines[(next + 1)..End(next)]) : null);
            }
        }
    }

    private int End(int fence) =>
        Array.FindIndex(_lines, fence + 1, line => line.Trim() == "```") is > 0 and var end ? end : throw new InvalidDataException($"{Name}({fence + 1}): this block has no end.");

    private static IEnumerable<string> Typed(string[] lines)
    {
        for (int i = 0; i < lines.Length; i++)
        {
            string command = lines[i];
            string? ending = Here().Match(command) is { Success: true } here ? here.Groups[1].Value : null;
            while (i + 1 < lines.Length && (command.EndsWith('\\') || (ending is not null && lines[i] != ending)))
            {
                command += "\n" + lines[++i];
            }

            if (command.Trim() is { Length: > 0 } text && text[0] != '#')
            {
                yield return command;
            }
        }
    }

    [GeneratedRegex(@"!?\[[^\]]*\]\((?<target>[^()\s]+)\)|(?:src|href)=""(?<target>[^""]+)""")]
    private static partial Regex Link();

    [GeneratedRegex("(?<!`)`([^`]+)`(?!`)")]
    private static partial Regex Code();

    [GeneratedRegex(@"[^\p{L}\p{N}\s_-]")]
    private static partial Regex Punctuation();

    [GeneratedRegex("^<!-- not run: (.+) -->$")]
    private static partial Regex NotRun();

    [GeneratedRegex(@"<<'?(\w+)'?")]
    private static partial Regex Here();
}
