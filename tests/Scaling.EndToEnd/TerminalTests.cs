// A run on a terminal: one line that moves, which never breaks, and no colours.
using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Scaling.EndToEnd;

public sealed partial class TerminalTests : IDisposable
{
    private const string Script = "/usr/bin/script";
    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [OnATerminal]
    public void The_line_that_moves_fits_80_columns_and_tells_what_is_left_before_a_row_has_ended()
    {
        string stage = "the-stage-that-does-all-of-the-work";
        _tool.Write("study.yaml", $$"""
              rows: { uses: echo, with: { text: "slow" } }
              {{stage}}: { uses: misbehave-row, needs: rows, with: { milliseconds: 2000 } }

            """);

        string seen = OnATerminal("run study.yaml --jobs 1");

        string[] lines = [.. seen.Split('\r', '\n').Where(l => l.Contains("0/1", StringComparison.Ordinal))];
        Assert.NotEmpty(lines);
        Assert.All(lines, line => Assert.InRange(line.TrimEnd().Length, 1, 79));
        Assert.Contains(lines, line => Left().IsMatch(line));
        Assert.DoesNotMatch(Colour(), seen);
    }

    [OnATerminal]
    public void The_line_that_moves_is_gone_before_anything_else_is_printed()
    {
        _tool.Write("study.yaml", "  rows: { uses: echo, with: { text: \"slow\", count: 3 } }\n  squares: { uses: square, needs: rows }\n");
        Assert.Equal(0, _tool.Run("run", "study.yaml").ExitCode);
        string whole = OnATerminal("cache verify");
        string entry = Directory.EnumerateFiles(_tool.Folder["store/entries"], "*", SearchOption.AllDirectories).First();
        File.WriteAllText(entry, "damaged");

        string seen = OnATerminal("cache verify");

        string[] shown = [.. Shown(seen)];
        Assert.All([whole, seen], sent => Assert.Contains("read ", sent)); // It did move.
        Assert.Matches("^Read [0-9]+ entries, .* all whole\\.$", Assert.Single(Shown(whole)));
        Assert.Equal(2, shown.Length);
        Assert.StartsWith("error SCAL4002: ", shown[0]);
        Assert.Matches("^Read [0-9]+ entries, .* 1 damaged, 0 with files that are gone\\.$", shown[1]);
    }

    /// <summary>What stands on a terminal in the end.</summary>
    private static IEnumerable<string> Shown(string sent)
    {
        foreach (string sentLine in Control().Replace(sent, "").Split('\n'))
        {
            var line = new System.Text.StringBuilder();
            foreach (string part in sentLine.Split('\r'))
            {
                line.Remove(0, Math.Min(part.Length, line.Length)).Insert(0, part);
            }

            if (line.ToString().TrimEnd() is { Length: > 0 } text)
            {
                yield return text;
            }
        }
    }

    /// <summary>What a terminal of 80 columns is sent.</summary>
    private string OnATerminal(string line)
    {
        var start = new ProcessStartInfo(Script, ["-qefc", $"{Tool.Program} {line}", "/dev/null"]) { WorkingDirectory = _tool.Folder.Path, RedirectStandardOutput = true, RedirectStandardInput = true };
        start.Environment["SCALING_CACHE"] = _tool.Folder["store"];
        start.Environment["SCALING_TEST_JOURNAL"] = _tool.Folder["journal"];
        start.Environment.Remove("GITHUB_ACTIONS");
        start.Environment.Remove("GITLAB_CI");
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }

    /// <summary>The runtime tells a terminal more than that, when it first uses it.</summary>
    [GeneratedRegex("\u001b\\[[0-9;]*m")]
    private static partial Regex Colour();

    [GeneratedRegex("\u001b[\\[\\]=>?]?[0-9;?]*[a-zA-Z]?")]
    private static partial Regex Control();

    [GeneratedRegex(@"\d+\.\d s left\)")]
    private static partial Regex Left();

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class OnATerminalAttribute : FactAttribute
    {
        public OnATerminalAttribute() => Skip = File.Exists(Script) ? null : $"{Script} is not installed, which gives a program a terminal";
    }
}
