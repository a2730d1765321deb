// A plan is a file: what it says runs, without the pipeline file, and nothing else does.
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

public sealed class PlanTests : IDisposable
{
    private const string Stages = """
          rows: { uses: echo, with: { text: "a,bb", count: 3 } }
          squares: { uses: square, needs: rows, with: { factors: [1, 2], suffix: "!" } }
          total: { uses: collect, needs: squares }
          words: { uses: shared, needs: rows }

        """;

    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public void A_plan_runs_as_its_pipeline_would_though_the_file_has_changed_since()
    {
        _tool.Write("study.yaml", Stages);
        Freeze();
        _tool.Write("study.yaml", Stages.Replace("\"!\"", "\"?\""));

        var run = _tool.Run("run", "--plan", "plan.json", "--json");
        _tool.Write("study.yaml", Stages);
        var again = _tool.Run("run", "study.yaml", "--json");

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal((6, 1, 3), (run.Count("squares", "executed"), run.Count("total", "executed"), run.Count("words", "executed")));
        Assert.Equal(0, again.Executed);
        Assert.Equal(0, _tool.Run("run", "--plan", "plan.json", "--json").Executed);
    }

    [Fact]
    public async Task A_plan_is_read_by_people_and_compared_by_line()
    {
        _tool.Write("study.yaml", Stages);
        Freeze();
        string plan = File.ReadAllText(_tool.Folder["plan.json"]);
        _tool.Write("study.yaml", Stages.Replace("count: 3", "count: 4"));
        Freeze();
        string[] longer = File.ReadAllLines(_tool.Folder["plan.json"]);

        // Besides the two settings and what is counted of them, a row more is two actions more of `squares` and one of `words`.
        Assert.Equal(3, longer.Except(plan.Split('\n')).Count(line => line.Contains("\"key\":", StringComparison.Ordinal) && line.Contains("p4", StringComparison.Ordinal)));
        await Snapshot.Match(Regex.Replace(_tool.Portable(plan).Replace(Tool.Configuration, "CONFIGURATION"), "[0-9a-f]{64}", "DIGEST"));
    }

    [Fact]
    public async Task A_plan_says_what_the_next_round_of_a_planned_study_is_expected_to_tell()
    {
        _tool.Folder.Write("corpus.txt", string.Concat(Enumerable.Repeat("words of a corpus\n", 2000)));
        _tool.Folder.Write("study.yaml", """
            stages:
              shapes:
                uses: sweep
                feedback: runs
                with:
                  { sizes: [10k, 20k], layers: 2, head_size: 8, multiple_of: 4, x: [0.12, 0.2, 0.34], ratio: [0.5, 1.5, 5], gqa: 2,
                    design: { target: 80k, budget: { flops: 2e11 }, round: 4, stop: { regret: 0.001 } } }
              runs: { uses: train, needs: shapes, with: { corpus: "text:corpus.txt" } }

            """);

        var plan = _tool.Run("plan", "study.yaml");
        string[] said = [.. plan.Output.Split('\n').Where(line => line.StartsWith("    ", StringComparison.Ordinal) && !line.Contains("has not run", StringComparison.Ordinal)).Select(line => line.Trim())];
        var frozen = JsonNode.Parse(_tool.Run("plan", "study.yaml", "--json").Output)!["stages"]!.AsArray();

        Assert.Equal(said, frozen[0]!["summary"]!.AsArray().Select(line => (string?)line));
        Assert.Null(frozen[1]!["summary"]);
        await Snapshot.Match(_tool.Scrubbed(plan.Output));
    }

    [Fact]
    public void A_stage_that_fails_while_it_is_planned_is_told_with_its_place()
    {
        _tool.Folder.Write("study.yaml", "stages:\n  shapes: { uses: sweep, with: { sizes: [8k], layers: 2, head_size: 7 } }\n");

        var plan = _tool.Run("plan", "study.yaml");

        Assert.Equal(1, plan.ExitCode);
        Assert.Contains("study.yaml(2,3): error SCAL7402", plan.Error);
    }

    [Fact]
    public void Execute_runs_the_actions_that_it_is_told_without_planning()
    {
        _tool.Write("study.yaml", Stages);
        Freeze();
        File.Delete(_tool.Folder["study.yaml"]);

        var one = _tool.Run("execute", "plan.json", "squares@p2.1");
        var all = _tool.Run("execute", "plan.json", "words");

        Assert.True(one.ExitCode == 0, one.Error);
        Assert.True(all.ExitCode == 0, all.Error);
        Assert.Equal((1, 1 + 3), (_tool.Journal("square"), _tool.Journal("shared")));
        _tool.Write("study.yaml", Stages);
        Assert.Equal(5, _tool.Run("run", "study.yaml", "--json").Count("squares", "executed"));
    }

    [Fact]
    public void A_row_whose_name_begins_the_names_of_others_is_meant_alone()
    {
        _tool.Write("study.yaml", """
              rows: { uses: echo, with: { count: 12 } }
              work: { uses: misbehave-row, needs: rows }

            """);
        Freeze();

        Assert.Equal(0, _tool.Run("execute", "plan.json", "work@p1").ExitCode);
        Assert.Equal(1, _tool.Journal("misbehave-row"));
        Assert.DoesNotContain("work@p10", _tool.Run("why", "work@p1", "study.yaml").Output);
        Assert.Contains("work@p11", _tool.Run("why", "work@p11", "study.yaml").Output);
    }

    [Theory]
    [InlineData("total", "SCAL1078")]
    [InlineData("rows", "SCAL1078")]
    [InlineData("squares@q", "SCAL1078")]
    [InlineData("square", "SCAL1077")]
    public void Execute_says_what_the_plan_does_not_have(string target, string code)
    {
        _tool.Write("study.yaml", Stages);
        Freeze();

        var refused = _tool.Run("execute", "plan.json", target);

        Assert.Equal(2, refused.ExitCode);
        Assert.Matches($"^error {code}: .*\\. .*(plan again|plan.json|Did you mean)", refused.Error);
    }

    [Fact]
    public void A_plan_whose_code_or_data_changed_is_refused()
    {
        string plugin = _tool.WriteWithOwnPlugin("study.yaml", Stages);
        Freeze();
        File.AppendAllText(Path.Combine(plugin, "Scaling.TestPlugin.dll"), "built again");

        var code = _tool.Run("run", "--plan", "plan.json");
        Directory.Delete(plugin, recursive: true);
        var gone = _tool.Run("execute", "plan.json", "squares");

        Assert.Equal((4, 4), (code.ExitCode, gone.ExitCode));
        Assert.Contains("SCAL3021", code.Error);
        Assert.Contains("Scaling.TestPlugin.dll", code.Error);
        Assert.Contains("SCAL3021", gone.Error);
        Assert.Equal(0, _tool.Journal("square"));
    }

    [Fact]
    public void A_file_that_a_setting_named_and_that_changed_since_is_refused()
    {
        _tool.Folder.Write("corpus.txt", string.Concat(Enumerable.Repeat("words of a corpus\n", 2000)));
        _tool.Folder.Write("study.yaml", """
            stages:
              shapes: { uses: sweep, with: { sizes: [8k], layers: 2, head_size: 8, multiple_of: 4, x: [0.24], ratio: [1.5], gqa: [2] } }
              runs: { uses: train, needs: shapes, with: { corpus: "text:corpus.txt", tokens_per_parameter: [1] } }

            """);
        Freeze();
        File.AppendAllText(_tool.Folder["corpus.txt"], "more\n");

        var refused = _tool.Run("run", "--plan", "plan.json");

        Assert.Equal(4, refused.ExitCode);
        Assert.Contains("SCAL3022", refused.Error);
        Assert.Contains("corpus.txt", refused.Error);
    }

    [Fact]
    public void An_edited_plan_is_refused_with_its_place()
    {
        _tool.Write("study.yaml", Stages);
        Freeze();
        string plan = File.ReadAllText(_tool.Folder["plan.json"]);
        string key = JsonNode.Parse(plan)!["stages"]!.AsArray().Single(s => s!["id"]!.GetValue<string>() == "squares")!["actions"]![0]!["key"]!.GetValue<string>();
        foreach (var (edited, told) in new[]
        {
            (plan.Replace(key, new string('0', 64)), "its last line"),
            (plan.Replace("\"suffix\":\"!\"", "\"suffix\":\"?\""), "its last line"),
            (plan.Replace("\"text\":\"a\"", "\"text\":\"b\""), "its last line"),
            (plan.Replace("\"before\": [", "\"before\": null, \"b\": ["), "parts of it"),
            (plan.Replace("scaling.plan/1", "scaling.plan/9"), "scaling.plan/9"),
            (plan[..(plan.Length / 2)], "edited.json("),
            (plan.Replace("\"outlook\"", "\"out\""), "edited.json("),
            (plan.Replace("\"stage\":\"squares\"", "\"stage\":\"circles\""), "its last line"),
            ("null", "nothing"),
            ("[]", "edited.json(1,"),
        })
        {
            Assert.NotEqual(plan, edited);
            File.WriteAllText(_tool.Folder["edited.json"], edited);
            foreach (string[] command in new[] { new[] { "run", "--plan", "edited.json" }, ["execute", "edited.json", "squares"] })
            {
                var refused = _tool.Run(command);
                Assert.True(refused.ExitCode == 4 && refused.Error.Contains("SCAL3020", StringComparison.Ordinal) && refused.Error.Contains(told, StringComparison.Ordinal), $"{told}: {refused.Error}");
            }
        }
    }

    [Fact]
    public void What_a_plan_does_not_have_is_not_begun()
    {
        _tool.Write("study.yaml", Stages);
        _tool.Run("run", "study.yaml");
        Freeze();
        Directory.Delete(_tool.Folder["store/entries"], recursive: true);
        int before = _tool.Journal("square");

        var refused = _tool.Run("run", "--plan", "plan.json");

        Assert.Equal(4, refused.ExitCode);
        Assert.Contains("SCAL3023", refused.Error);
        Assert.Equal(before, _tool.Journal("square"));
    }

    [Fact]
    public void A_plan_goes_with_no_pipeline_and_no_settings()
    {
        _tool.Write("study.yaml", Stages);
        Freeze();

        Assert.Contains("SCAL1074", _tool.Run("run", "study.yaml", "--plan", "plan.json").Error);
        Assert.Contains("SCAL1074", _tool.Run("run", "--plan", "plan.json", "--set", "seed=1").Error);
        Assert.Contains("SCAL1074", _tool.Run("run", "--plan", "plan.json", "--locked").Error);
        Assert.Contains("SCAL1074", _tool.Run("execute", "plan.json", "squares", "--locked").Error);
    }

    [Fact]
    public void A_plan_that_is_not_there_is_no_plan()
    {
        var run = _tool.Run("run", "--plan", "plan.json");

        Assert.Equal(4, run.ExitCode);
        Assert.Contains("error SCAL3020: This is no plan that can be run: there is no file ", run.Error);
    }

    private void Freeze()
    {
        var plan = _tool.Run("plan", "study.yaml", "--json");
        Assert.True(plan.ExitCode == 0, plan.Error);
        File.WriteAllText(_tool.Folder["plan.json"], plan.Output);
    }
}
