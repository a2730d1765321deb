// Results that a build takes: from what was committed while it still belongs to the pipeline, else from the store, never stale.
using Scaling.TestKit;

namespace Scaling.EndToEnd;

public sealed class RestoreTests : IDisposable
{
    private const string Stages = """
          rows: { uses: echo, with: { text: "a,bb,ccc", count: 3 } }
          squares:
            uses: square
            needs: rows
            with: { factors: [1, 2], suffix: "!" }
          total: { uses: collect, needs: squares }

        """;

    private readonly Tool _tool = new();

    public RestoreTests()
    {
        _tool.Write("study.yaml", Stages);
        Assert.Equal(0, _tool.Run("run", "study.yaml").ExitCode);
    }

    public void Dispose() => _tool.Dispose();

    [Fact]
    public Task A_run_leaves_a_lock_of_portable_entries_and_results()
    {
        string text = File.ReadAllText(_tool.Folder["study.lock.json"]);
        Assert.DoesNotContain(_tool.Folder.Path, text);
        return Snapshot.Match(System.Text.RegularExpressions.Regex.Replace(text, "[0-9a-f]{64}", "SHA256"));
    }

    [Fact]
    public void Committed_results_are_restored_on_a_machine_that_has_nothing_else()
    {
        var restored = Elsewhere("restore", "study.yaml", "--into", "obj/a build", "--inputs-to", "obj/inputs.txt");

        Assert.Equal((0, ""), (restored.ExitCode, restored.Error));
        Assert.Equal(File.ReadAllText(_tool.Folder["results/study/total/total.json"]), File.ReadAllText(_tool.Folder["obj/a build/total/total.json"]));
        Assert.Equal([_tool.Folder["obj/a build/total/total.json"]], restored.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.False(Directory.Exists(_tool.Folder["obj/a build/squares"]));
        Assert.Equal(
            ["results/study/total/total.json", "study.lock.json", "study.yaml"],
            File.ReadAllLines(_tool.Folder["obj/inputs.txt"]).Select(f => Path.GetRelativePath(_tool.Folder.Path, f)).Order(StringComparer.Ordinal));
        Assert.Equal(1 + 6 + 1, Directory.EnumerateFiles(_tool.Folder["journal"]).Count()); // Nothing was executed but by the run.
    }

    [Fact]
    public void What_is_restored_already_is_not_written_again_and_what_is_wanted_no_more_is_removed()
    {
        Elsewhere("restore", "study.yaml", "--into", "obj", "--stages", "total,squares");
        Assert.True(File.Exists(_tool.Folder["obj/squares/p1.1/note.txt"]));
        File.WriteAllText(_tool.Folder["obj/mine.txt"], "mine");
        var before = File.GetLastWriteTimeUtc(_tool.Folder["obj/total/total.json"]);

        Elsewhere("restore", "study.yaml", "--into", "obj");

        Assert.Equal(before, File.GetLastWriteTimeUtc(_tool.Folder["obj/total/total.json"]));
        Assert.False(File.Exists(_tool.Folder["obj/squares/squares.csv"]));
        Assert.True(File.Exists(_tool.Folder["obj/mine.txt"]));
    }

    [Fact]
    public Task Stale_results_are_refused_where_the_pipeline_changed()
    {
        var text = new System.Text.StringBuilder();
        Refused("a setting", Stages.Replace("[1, 2]", "[1, 3]"));
        Refused("two settings of two stages", Stages.Replace("count: 3", "count: 4").Replace("\"!\"", "\"?\""));
        Refused("a stage that is new", Stages + "  more: { uses: collect, needs: squares }\n");
        Refused("a stage that is gone", Stages[..Stages.IndexOf("  total:", StringComparison.Ordinal)]);
        Refused("another type", Stages.Replace("uses: collect", "uses: collect, timeout: 9m").Replace("uses: square", "uses: shared").Replace("with: { factors: [1, 2], suffix: \"!\" }", "with: {}").Replace("  total: { uses: collect, timeout: 9m, needs: squares }\n", ""));
        _tool.Write("study.yaml", Stages);
        File.AppendAllText(_tool.Folder["results/study/total/total.json"], "x");
        Refused("an edited result", Stages);
        File.Delete(_tool.Folder["results/study/total/total.json"]);
        Refused("a missing result", Stages);
        File.WriteAllText(_tool.Folder["study.lock.json"], "{");
        Refused("a broken lock", Stages);
        File.Delete(_tool.Folder["study.lock.json"]);
        Refused("no lock", Stages);
        return Snapshot.Match(_tool.Portable(text.ToString()));

        void Refused(string what, string stages)
        {
            _tool.Write("study.yaml", stages);
            foreach (string[] mode in new[] { new[] { "--verify" }, ["--into", "obj/refused"] })
            {
                var run = Elsewhere(["restore", "study.yaml", .. mode]);
                Assert.Equal(4, run.ExitCode);
                Assert.False(Directory.Exists(_tool.Folder["obj/refused"]));
                if (mode.Length == 1)
                {
                    text.Append($"# {what}\n{run.Error}");
                }
            }
        }
    }

    [Fact]
    public void A_broken_lock_is_told_of_and_written_anew_by_a_run()
    {
        string whole = File.ReadAllText(_tool.Folder["study.lock.json"]);
        File.WriteAllText(_tool.Folder["study.lock.json"], whole[..100]);
        Assert.Equal(4, _tool.Run("run", "study.yaml", "--locked").ExitCode);

        var run = _tool.Run("run", "study.yaml");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("warning SCAL9056", run.Error);
        Assert.Equal(whole, File.ReadAllText(_tool.Folder["study.lock.json"]));
    }

    [Fact]
    public void Layout_comments_and_spelling_leave_results_fresh()
    {
        _tool.Write("study.yaml", "  # spelt otherwise\n" + Stages.Replace("[1, 2]", "[1.0, 2]").Replace("count: 3", "count: 3.0"));

        var verified = Elsewhere("restore", "study.yaml", "--verify", "--json");

        Assert.Equal(0, verified.ExitCode);
        var answer = System.Text.Json.Nodes.JsonNode.Parse(verified.Output)!;
        Assert.Equal(("scaling.restore/1", 0, 0), (answer["schema"]!.GetValue<string>(), answer["exit_code"]!.GetValue<int>(), answer["findings"]!.AsArray().Count));
        Assert.All(answer["files"]!.AsArray(), f => Assert.True(File.Exists(f!["path"]!.GetValue<string>())));
    }

    [Fact]
    public void Files_of_the_user_that_are_edited_while_another_stage_runs_stand_in_the_lock_as_they_were_used()
    {
        int squared = _tool.Journal("square");
        _tool.Folder.Write("rows.csv", "point,text\na,aa\nb,bbb\n");
        _tool.Folder.Write("squares.csv", "point,text,length,factor\na,aa,2,1\n");
        _tool.Write("edited.yaml", """
              squares: { uses: square, needs: { rows: rows.csv } }
              total: { uses: collect, needs: { squares: squares.csv } }
              rows: { uses: echo, with: { text: "slow" } }
              work: { uses: misbehave-row, needs: rows, with: { milliseconds: 3000 } }

            """);
        var run = _tool.Start("run", "edited.yaml", "--jobs", "6");
        Tool.Until(() => _tool.Journal("square") == squared + 2 && _tool.Journal("collect") == 2 && _tool.Journal("misbehave-row") > 0, "all stages to run");
        Thread.Sleep(500); // What they read is looked at once more when they have ended.
        File.AppendAllText(_tool.Folder["rows.csv"], "c,cccc\n");
        File.AppendAllText(_tool.Folder["squares.csv"], "b,bbb,3,1\n");
        var ended = Tool.End(run);

        var edited = _tool.Run("restore", "edited.yaml", "--verify");
        Assert.Equal(0, ended.ExitCode);
        Assert.Equal(4, edited.ExitCode);
        Assert.Contains("The results of 'squares' are stale: its input 'rows' has other content.", edited.Error);
        Assert.Contains("The results of 'total' are stale: its input 'squares' has other content.", edited.Error);
        Assert.Equal(0, _tool.Run("run", "edited.yaml").ExitCode);
        Assert.Equal(0, _tool.Run("restore", "edited.yaml", "--verify").ExitCode);
    }

    [Fact]
    public void A_changed_plugin_makes_results_stale()
    {
        string copy = _tool.WriteWithOwnPlugin("own.yaml", Stages);
        Assert.Equal(0, _tool.Run("run", "own.yaml").ExitCode);
        Assert.Equal(0, Elsewhere("restore", "own.yaml", "--verify").ExitCode);
        string sdk = Path.Combine(copy, "Scaling.TestPlugin.dll");
        byte[] bytes = File.ReadAllBytes(sdk);
        File.WriteAllBytes(sdk, [.. bytes, 0]); // Another assembly that does the same.

        var run = Elsewhere("restore", "own.yaml", "--verify");

        Assert.Equal(4, run.ExitCode);
        Assert.Contains("SCAL9050: The results of 'rows' are stale: its code changed (Scaling.TestPlugin.dll).", run.Error);
    }

    [Fact]
    public void The_store_of_this_machine_is_asked_where_the_committed_results_are_stale_and_the_user_told()
    {
        File.AppendAllText(_tool.Folder["results/study/total/total.json"], "x");

        var run = _tool.Run("restore", "study.yaml", "--into", "obj");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("warning SCAL9055", run.Error);
        Assert.DoesNotContain("x", File.ReadAllText(_tool.Folder["obj/total/total.json"])[^2..]);
        Assert.Equal(4, _tool.Run("restore", "study.yaml", "--verify").ExitCode);
    }

    [Fact]
    public void Without_a_pipeline_a_target_or_a_known_stage_it_says_what_to_type()
    {
        foreach (var (arguments, code) in new[] { (new[] { "restore", "study.yaml" }, "SCAL1009"), (["restore", "--verify"], "SCAL1010"), (["restore", "study.yaml", "--into", "obj", "--stages", "totl"], "SCAL1004") })
        {
            var run = _tool.Run(arguments);
            Assert.Equal(2, run.ExitCode);
            Assert.Contains(code, run.Error);
        }
    }

    /// <summary>The tool with an empty store, as on another machine.</summary>
    private Ended Elsewhere(params string[] arguments) => _tool.Run([.. arguments, "--cache", _tool.Folder["elsewhere"]]);
}
