// Every kind of file of the store, damaged in every way: found, moved aside, made again, and never a wrong result.

namespace Scaling.EndToEnd;

public sealed class CorruptionTests : IDisposable
{
    private const string LongActions = """
          rows: { uses: echo, with: { text: "a,b" } }
          others: { uses: echo, with: { text: "c,d" } }
          long: { uses: checkpoint, needs: rows, with: { steps: 3 } }
          more: { uses: checkpoint, needs: others, with: { steps: 4 } }

        """;

    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Theory]
    [InlineData("flip")]
    [InlineData("truncate")]
    [InlineData("zero")]
    [InlineData("swap")]
    [InlineData("delete")]
    public void Whatever_is_damaged_a_run_gives_the_results_of_the_undamaged_one(string how)
    {
        string text = string.Join(',', Enumerable.Range(0, 4).Select(i => new string((char)('a' + i), 1500 + i))); // Tables too large to stand in their manifests.
        _tool.Write("study.yaml", $$"""
              rows: { uses: echo, with: { text: "{{text}}", count: 4 } }
              squares: { uses: square, needs: rows }
              shared: { uses: shared, needs: rows }
              total: { uses: collect, needs: squares }

            """);
        _tool.Write("failing.yaml", """
              rows: { uses: echo, with: { text: "grumble,throw", count: 2 } }
              work: { uses: misbehave-row, needs: rows, with: { milliseconds: 0 } }

            """);
        Run();
        var results = Stable();
        Assert.Equal(1, _tool.Run("run", "failing.yaml").ExitCode); // Logs, and scratch that rests.
        _tool.Folder.Write("store/quarantine/a", "damage");
        _tool.Folder.Write("store/quarantine/b", "other damage");

        foreach (string kind in new[] { "blobs", "entries", "history", "rest" })
        {
            string[] files = Files(kind);
            Assert.True(files.Length >= 2, $"{files.Length} files of {kind}");
            Damage(files, how);

            var run = Run();

            Assert.Equal(results, Stable());
            bool reported = run.Error.Contains(how == "delete" ? "SCAL4003" : "SCAL4002", StringComparison.Ordinal);
            Assert.True(reported || kind is "rest" || (kind, how) is ("entries" or "history", "delete"), run.Error); // That one was there nobody knows but by it.
            Assert.True(run.Executed > 0 == kind is "blobs" or "entries", $"{run.Executed} executed after {how} of {kind}");
        }

        Assert.Equal(0, Run().Executed);
        Assert.Equal(results, Stable());
        Assert.Equal(1, _tool.Run("run", "failing.yaml").ExitCode);
        Assert.Equal(0, _tool.Run("why", "squares", "study.yaml").ExitCode);
        Assert.Equal(0, _tool.Run("cache", "gc").ExitCode);
    }

    [Fact]
    public void A_record_in_the_place_of_another_or_anything_else_that_is_sealed_is_damage_and_gc_takes_no_entry_for_it()
    {
        foreach (string text in new[] { "a", "b" })
        {
            _tool.Write("study.yaml", $$"""
                  rows: { uses: echo, with: { text: "{{text}}" } }
                  squares: { uses: square, needs: rows }

                """);
            Run();
        }

        File.Copy(Files("history")[0], Files("history")[1], overwrite: true);
        File.Copy(Files("entries")[0], Files("history")[0], overwrite: true);

        var gc = _tool.Run("cache", "gc");

        Assert.Equal(0, gc.ExitCode);
        Assert.Equal(2, gc.Error.Split("warning SCAL4002").Length - 1);
        Assert.Equal(0, Run().Executed);
    }

    [Fact]
    public void Gc_leaves_what_a_frozen_plan_was_made_of()
    {
        _tool.Write("study.yaml", """
              rows: { uses: echo, with: { text: "a" } }
              squares: { uses: square, needs: rows }

            """);
        File.WriteAllText(_tool.Folder["plan.json"], _tool.Run("plan", "study.yaml", "--json").Output);
        _tool.Run("cache", "gc");

        var run = _tool.Run("run", "--plan", "plan.json");

        Assert.True(run.ExitCode == 0, run.Error);
    }

    [Theory]
    [InlineData("cache", "keygen", "")]
    [InlineData("run", "--plan", "")]
    [InlineData("init", "")]
    [InlineData("report", "")]
    [InlineData("execute", "", "squares")]
    [InlineData("plan", "")]
    public void An_empty_argument_is_told_as_one(params string[] call)
    {
        var ended = _tool.Run(call);

        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("error SCAL1007: ", ended.Error);
    }

    [Theory]
    [InlineData("run", "study.yaml")]
    [InlineData("status", "study.yaml")]
    [InlineData("why", "rows", "study.yaml")]
    [InlineData("report", "study.yaml")]
    public void Whoever_reads_a_damaged_record_of_a_run_moves_it_aside_and_says_so(params string[] reader)
    {
        foreach (string text in new[] { "a", "b" })
        {
            _tool.Write("study.yaml", $$"""
                  rows: { uses: echo, with: { text: "{{text}}" } }
                  told: { uses: tell, with: { text: "{{text}}" } }

                """);
            Run();
        }

        TestKit.Damage.Do(Files("history")[^1], "flip");

        var told = _tool.Run(reader);
        var again = _tool.Run(reader);

        Assert.Equal((0, 0), (told.ExitCode, again.ExitCode));
        Assert.Contains("warning SCAL4002: The record of run 2 of ", told.Error);
        Assert.Single(told.Error.Split("SCAL4002")[1..]);
        Assert.DoesNotContain("SCAL4002", again.Error);
        Assert.Contains(Directory.EnumerateFiles(_tool.Folder["store/quarantine"]), f => Path.GetFileName(f).StartsWith("000002.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("flip")]
    [InlineData("truncate")]
    [InlineData("zero")]
    [InlineData("swap")]
    [InlineData("delete")]
    public void Verify_finds_all_damage_moves_it_aside_and_ends_with_exit_code_4(string how)
    {
        foreach (char c in "ab")
        {
            _tool.Write("study.yaml", $$"""
                  rows: { uses: echo, with: { text: "{{new string(c, 5000)}}" } }
                  squares: { uses: square, needs: rows }

                """);
            Run();
        }

        int records = Files("history").Length;
        int blobs = Files("blobs").Length;
        Damage(Files("blobs"), how);
        if (how != "delete")
        {
            Damage(Files("history"), how);
        }

        var found = _tool.Run("cache", "verify", "--json");
        var again = _tool.Run("cache", "verify");

        var answer = System.Text.Json.Nodes.JsonNode.Parse(found.Output)!;
        Assert.Equal((4, "scaling.cache-verify/1", false), (found.ExitCode, answer["schema"]!.GetValue<string>(), answer["whole"]!.GetValue<bool>()));
        Assert.Equal(how == "delete" ? 0 : blobs + records, answer["damaged"]!.AsArray().Count);
        Assert.NotEmpty(answer["gone"]!.AsArray());
        Assert.Equal(4, again.ExitCode); // What is gone stays so until it is made again.
        Assert.Contains("SCAL4012", again.Error);
        Run();
        _tool.Run("cache", "gc");
        var last = _tool.Run("cache", "verify");
        Assert.True(last.ExitCode == 0, last.Error + last.Output);
    }

    [Theory]
    [InlineData("flip")]
    [InlineData("truncate")]
    [InlineData("zero")]
    [InlineData("swap")]
    [InlineData("empty")]
    [InlineData("delete")]
    public void A_damaged_checkpoint_is_not_gone_on_from(string how)
    {
        _tool.Write("study.yaml", LongActions);
        Run();
        var results = Stable();
        Directory.Delete(_tool.Folder["store"], recursive: true);
        FailAfterTwoSteps();
        string[] checkpoints = Checkpoints();
        Assert.Equal(2, checkpoints.Length);
        int before = _tool.Journal("checkpoint");
        Damage(checkpoints, how);

        var run = Run();

        Assert.Equal(results, Stable());
        Assert.Equal(3 + 4, _tool.Journal("checkpoint") - before);
        Assert.Equal(how == "delete" ? 0 : 2, run.Error.Split("warning SCAL4002: A checkpoint of checkpoint").Length - 1);
        Assert.Equal(how == "delete" ? 0 : 2, Directory.Exists(_tool.Folder["store/quarantine"]) ? Directory.GetFiles(_tool.Folder["store/quarantine"], "checkpoint.*").Length : 0);
    }

    [Fact]
    public void Verify_reads_checkpoints_and_whole_ones_are_gone_on_from()
    {
        _tool.Write("study.yaml", LongActions);
        FailAfterTwoSteps();
        Assert.Equal(0, _tool.Run("cache", "verify").ExitCode);
        TestKit.Damage.Do(Checkpoints()[0], "flip");
        int before = _tool.Journal("checkpoint");

        var verified = _tool.Run("cache", "verify");
        Run();

        Assert.Equal(4, verified.ExitCode);
        Assert.Contains("A checkpoint of the unfinished action ", verified.Error);
        Assert.InRange(_tool.Journal("checkpoint") - before, 4, 5); // One from its second step, the other from its first.
    }

    private void FailAfterTwoSteps()
    {
        _tool.Environment["SCALING_TEST_FAIL_AFTER"] = "2";
        Assert.Equal(1, _tool.Run("run", "study.yaml").ExitCode);
        _tool.Environment.Remove("SCALING_TEST_FAIL_AFTER");
    }

    private string[] Checkpoints() => Directory.GetFiles(_tool.Folder["store/work"], "checkpoint.*", SearchOption.AllDirectories);

    private Ended Run()
    {
        var run = _tool.Run("run", "study.yaml", "--json");
        Assert.True(run.ExitCode == 0, run.Error);
        return run;
    }

    private string[] Stable() => [.. _tool.Results("study", r => !r.EndsWith("times.csv", StringComparison.Ordinal)).Select(r => $"{r.Key} {r.Value}")];

    private string[] Files(string kind)
    {
        string root = _tool.Folder["store"];
        string[] others = ["blobs", "entries", "history"];
        return
        [
            .. Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Where(f => Path.GetRelativePath(root, f).Split('/')[0] is var folder && (kind == "rest" ? !others.Contains(folder) : folder == kind))
                .Where(f => new FileInfo(f) is { LinkTarget: null, Length: > 0 }).Order(StringComparer.Ordinal),
        ];
    }

    private static void Damage(string[] files, string how)
    {
        if (how == "swap")
        {
            // Each takes the place of the one before it.
            byte[][] contents = [.. files.Select(File.ReadAllBytes)];
            for (int i = 0; i < files.Length; i++)
            {
                File.WriteAllBytes(files[i], contents[(i + 1) % files.Length]);
            }

            return;
        }

        Array.ForEach(files, file => TestKit.Damage.Do(file, how));
    }
}
