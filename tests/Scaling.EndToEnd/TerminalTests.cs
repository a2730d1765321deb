// A run as it stands on a terminal: while it goes on, and when it has ended.
using System.Diagnostics;
using System.Text.RegularExpressions;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

public sealed partial class TerminalTests : IDisposable
{
    private const char ControlC = '\u0003';
    private const char ControlZ = '\u001a';
    private readonly Tool _tool = new();

    public TerminalTests() => Study("slow,a", 8, 100);

    public void Dispose() => _tool.Dispose();

    [OnATerminal]
    public async Task A_run_that_goes_on_tells_of_its_stages_and_of_what_they_execute_and_interrupted_leaves_a_clean_terminal()
    {
        Study("slow,a", 8, 600_000);
        using var terminal = new OnTerminal(_tool, "run study.yaml --jobs 2");
        string going = terminal.Until(IsAtTwoRows, "two rows that are on their way");
        terminal.Type(ControlC);
        var (exit, screen) = terminal.End();

        Assert.Equal((130, true, true), (exit, screen.IsClean, screen.IsColoured));
        Assert.InRange(screen.Widest, 1, 80);
        await Snapshot.Match($"{Scrubbed(going)}\n\n# Ctrl-C\n\n{Scrubbed(screen.ToString().Replace("^C", ""))}");
    }

    [OnATerminal]
    public async Task A_run_that_has_ended_tells_how_what_it_found_and_where_and_again_that_all_was_cached()
    {
        var (fresh, screen) = Ended("run study.yaml --jobs 1");
        var (again, cached) = Ended("run study.yaml --jobs 1");

        Assert.Equal((0, 0, true, true), (fresh, again, screen.IsClean, cached.IsClean));
        Assert.All([screen, cached], s => Assert.InRange(s.ToString().Split('\n').Max(l => l.Length), 1, 80));
        await Snapshot.Match($"{Scrubbed(screen.ToString())}\n\n# again\n\n{Scrubbed(cached.ToString())}");
    }

    [OnATerminal]
    public async Task A_run_that_failed_tells_why_and_what_to_type_next()
    {
        Study("grumble,a", 2, 100);

        var (exit, screen) = Ended("run study.yaml --jobs 1");

        Assert.Equal((1, true), (exit, screen.IsClean));
        await Snapshot.Match(Scrubbed(screen.ToString()));
    }

    [Fact]
    public async Task Without_a_terminal_a_run_is_plain_lines()
    {
        var run = _tool.Run("run", "study.yaml", "--jobs", "1");

        Assert.Equal((0, ""), (run.ExitCode, run.Output));
        await Snapshot.Match(Scrubbed(run.Error));
    }

    [OnATerminal]
    public async Task In_60_columns_and_12_rows_it_is_all_there_and_in_fewer_what_matters_most()
    {
        Study("slow,a", 8, 600_000, stage: "the-stage-that-does-all-of-the-work-of-this-pipeline");
        var seen = new List<string>();
        foreach (var (columns, rows) in new[] { (60, 12), (30, 6), (1, 1) })
        {
            int begun = _tool.Journal("misbehave-row");
            using var terminal = new OnTerminal(_tool, "run study.yaml --jobs 2", columns, rows);
            Tool.Until(() => _tool.Journal("misbehave-row") > begun + 1, "two rows to begin");
            seen.Add($"# {columns} columns, {rows} rows\n{Scrubbed(terminal.Until(s => rows > 6 ? IsAtTwoRows(s) : rows == 1 || s.Contains("2 actions are"), "rows that are on their way"))}");
            terminal.Type(ControlC);
            var (exit, screen) = terminal.End();
            Assert.Equal((130, true), (exit, screen.IsClean));
            Assert.InRange(screen.Widest, 1, columns);
        }

        await Snapshot.Match(string.Join("\n\n", seen.Take(2)));
    }

    [OnATerminal]
    public void What_is_wide_is_cut_where_the_terminal_ends_and_not_within_a_character()
    {
        _tool.Write("study.yaml", $"  told: {{ uses: tell, with: {{ found: [\"{new string('好', 60)}\", \"🙂 e\u0301\"] }} }}\n");

        var (exit, screen) = Ended("run study.yaml");

        Assert.Equal((0, true), (exit, screen.IsClean));
        Assert.Contains($"  {new string('好', 38)}…\n  🙂 e\u0301\n", screen.ToString());
    }

    [Theory]
    [InlineData(">&-")]
    [InlineData("2>&-")]
    [InlineData(">/dev/full 2>&1")]
    public void A_run_that_nobody_listens_to_is_done_all_the_same(string streams)
    {
        _tool.Within = ["sh", "-c", $"exec \"$@\" {streams}", "sh"];

        Assert.Equal(0, _tool.Run("run", "study.yaml").ExitCode);
        Assert.True(File.Exists(_tool.Folder["results/study/told/report.md"]));
    }

    [OnATerminal]
    public void NO_COLOR_takes_the_colours_and_nothing_else()
    {
        _tool.Environment["NO_COLOR"] = "1";
        using var terminal = new OnTerminal(_tool, "run study.yaml");
        var (exit, screen) = terminal.End();

        Assert.Equal((0, false), (exit, screen.IsColoured));
        Assert.Contains("\u001b[K", terminal.Sent); // It did move.
        Assert.Contains("work  misbehave-row  done", screen.ToString());
    }

    [OnATerminal]
    public void A_terminal_that_cannot_move_its_cursor_gets_plain_lines()
    {
        _tool.Environment["TERM"] = "dumb";
        using var terminal = new OnTerminal(_tool, "run study.yaml");
        var (exit, screen) = terminal.End();

        Assert.Equal(0, exit);
        Assert.DoesNotContain('\u001b', terminal.Sent);
        Assert.Contains("work       misbehave-row 8 executed, 0 cached, ", screen.ToString());
    }

    [OnATerminal]
    public void A_run_that_is_asked_to_be_quiet_says_nothing_on_a_terminal_either()
    {
        using var terminal = new OnTerminal(_tool, "run study.yaml --quiet");

        Assert.Equal((0, ""), (terminal.End().ExitCode, terminal.Sent));
    }

    [OnATerminal]
    public void Answers_for_programs_are_whole_where_a_terminal_takes_both()
    {
        var (exit, screen) = Ended("run study.yaml --json --jobs 1");

        string answer = screen.ToString().Split('\n')[^1];
        Assert.Equal(0, exit);
        Assert.Equal("loss 0.9 after all rows", System.Text.Json.Nodes.JsonNode.Parse(answer)!["summary"]![0]!["lines"]![0]!.GetValue<string>());
    }

    [OnATerminal]
    public void A_run_that_is_stopped_with_Ctrl_Z_leaves_a_clean_terminal_and_goes_on()
    {
        Study("slow", 1, 3_000);
        using var terminal = new OnTerminal(_tool, "run study.yaml --jobs 1", shell: "set -m; TOOL; echo stopped; sleep 0.5; fg");
        terminal.Until(s => Shares().IsMatch(s), "a row that is on its way");
        terminal.Type(ControlZ);
        string stopped = terminal.Until(s => s.Contains("stopped", StringComparison.Ordinal), "the shell");

        var (exit, screen) = terminal.End();
        Assert.DoesNotContain("work@p1", stopped); // The block was gone before the shell spoke.
        Assert.Equal((0, true), (exit, screen.IsClean));
        Assert.Contains(" stages, ", terminal.Sent[terminal.Sent.IndexOf("stopped", StringComparison.Ordinal)..]); // And came again.
    }

    [OnATerminal]
    public void A_window_that_becomes_narrower_while_a_run_goes_on_gets_lines_that_fit()
    {
        Study("slow,a", 8, 600_000);
        using var terminal = new OnTerminal(_tool, "run study.yaml --jobs 2");
        terminal.Until(IsAtTwoRows, "two rows that are on their way");
        int tool = Tool.Children(terminal.Process).Single();
        using (var stty = Process.Start("stty", ["-F", new FileInfo($"/proc/{tool}/fd/2").LinkTarget!, "cols", "40"]))
        {
            stty.WaitForExit();
        }

        int before = terminal.Sent.Length;
        Tool.Until(() => terminal.Sent[before..].Split(" stages, ").Length > 3, "the block to be drawn some times more");
        string after = Sequences().Replace(terminal.Sent[before..], "");
        terminal.Type(ControlC);
        Assert.Equal(130, terminal.End().ExitCode);

        string[] lines = after.Split('\n', '\r');
        Assert.All(lines.Skip(Array.FindIndex(lines, l => l.StartsWith("study: ", StringComparison.Ordinal)) + 4), line => Assert.InRange(line.Length, 0, 39));
    }

    [OnATerminal]
    public void The_line_that_moves_is_gone_before_anything_else_is_printed()
    {
        _tool.Write("study.yaml", "  rows: { uses: echo, with: { text: \"slow\", count: 3 } }\n  squares: { uses: square, needs: rows }\n");
        Assert.Equal(0, _tool.Run("run", "study.yaml").ExitCode);
        using var whole = new OnTerminal(_tool, "cache verify");
        string all = whole.End().Screen.ToString();
        string entry = Directory.EnumerateFiles(_tool.Folder["store/entries"], "*", SearchOption.AllDirectories).First();
        File.WriteAllText(entry, "damaged");

        using var damaged = new OnTerminal(_tool, "cache verify");
        string[] shown = damaged.End().Screen.ToString().Split('\n');

        Assert.All([whole.Sent, damaged.Sent], sent => Assert.Contains("read ", sent)); // It did move.
        Assert.Matches("^Read [0-9]+ entries, .* all whole\\.$", all);
        Assert.Equal(2, shown.Length);
        Assert.StartsWith("error SCAL4002: ", shown[0]);
        Assert.Matches("^Read [0-9]+ entries, .* 1 damaged, 0 with files that are gone\\.$", shown[1]);
    }

    private void Study(string text, int count, int milliseconds, string stage = "work") => _tool.Write("study.yaml", $$"""
          rows: { uses: echo, with: { text: "{{text}}", count: {{count}} } }
          {{stage}}: { uses: misbehave-row, needs: rows, with: { milliseconds: {{milliseconds}} } }
          told: { uses: tell, needs: {{stage}}, with: { found: ["loss 0.9 after all rows", "twice as fast as the baseline"], quantities: ["loss=0.9 nats a token"] } }

        """);

    private (int ExitCode, Screen Screen) Ended(string line)
    {
        using var terminal = new OnTerminal(_tool, line);
        return terminal.End();
    }

    private static bool IsAtTwoRows(string seen) => Shares().Count(seen) == 2;

    /// <summary>Without what differs from run to run.</summary>
    private string Scrubbed(string seen) => Shares().Replace(Rates().Replace(Spans().Replace(_tool.Scrubbed(seen), "SPAN"), "RATE"), "   N %");

    [GeneratedRegex(@" +\d+ %(?=\n|$)")]
    private static partial Regex Shares();

    [GeneratedRegex(@"\b[0-9.]+/(s|min|h)\b")]
    private static partial Regex Rates();

    [GeneratedRegex(@"\b\d+ (min|h) \d\d (s|min)\b")]
    private static partial Regex Spans();

    [GeneratedRegex("\u001b\\[[0-9;]*[a-zA-Z]")]
    private static partial Regex Sequences();

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class OnATerminalAttribute : FactAttribute
    {
        public OnATerminalAttribute() => Skip = File.Exists(OnTerminal.Script) ? null : $"{OnTerminal.Script} is not installed, which gives a program a terminal";
    }
}
