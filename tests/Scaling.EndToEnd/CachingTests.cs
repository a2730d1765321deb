// What runs again after a change, and what does not.
using System.Diagnostics;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

public sealed class CachingTests : IDisposable
{
    private const string Stages = """
          rows: { uses: echo, with: { text: "a,bb,ccc", count: 3 } }
          squares: { uses: square, needs: rows, with: { factors: [1, 2], suffix: "!" } }
          total: { uses: collect, needs: squares }

        """;

    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public void A_second_run_executes_nothing()
    {
        _tool.Write("study.yaml", Stages);
        Assert.Equal(1 + 6 + 1, Run().Executed);
        var results = _tool.Results("study");

        var again = Run();

        Assert.Equal(0, again.Executed);
        Assert.Equal(6, again.Count("squares", "cached"));
        Assert.Equal(results, _tool.Results("study"));
        Assert.Contains("squares.csv", string.Join(' ', results.Keys));
    }

    [Fact]
    public void A_new_element_of_a_sweep_executes_its_rows_and_what_depends_on_them()
    {
        _tool.Write("study.yaml", Stages);
        Run();
        _tool.Write("study.yaml", Stages.Replace("[1, 2]", "[2, 1, 3]"));

        var run = Run();

        Assert.Equal((3, 1, 0), (run.Count("squares", "executed"), run.Count("total", "executed"), run.Count("rows", "executed")));
        Assert.Equal(9, _tool.Journal("square"));
    }

    [Fact]
    public void A_new_row_executes_that_row_and_leaves_the_others()
    {
        _tool.Write("study.yaml", Stages);
        Run();
        _tool.Write("study.yaml", Stages.Replace("count: 3", "count: 4"));

        Assert.Equal(2, Run().Count("squares", "executed"));
    }

    [Fact]
    public void Order_comments_spelling_names_and_folders_execute_nothing()
    {
        _tool.Write("study.yaml", Stages);
        Run();
        _tool.Write("elsewhere/other.yaml", """
              # reordered, renamed, commented, spelt otherwise
              sums: { needs: [multiplied], uses: collect }
              multiplied:
                with:
                  suffix: '!'
                  factors:      # the same numbers
                    - 1.0
                    - 2e0
                needs: input
                uses: square
              input: { with: { count: 3, text: 'a,bb,ccc' }, uses: echo }

            """, "seed: 7\n");

        Assert.Equal(0, _tool.Run("run", "elsewhere/other.yaml", "--json").Executed);
    }

    [Fact]
    public void A_changed_setting_executes_its_stage_and_at_most_its_dependents_and_why_names_the_field()
    {
        _tool.Write("study.yaml", Stages);
        Run();
        _tool.Write("study.yaml", Stages.Replace("suffix: \"!\"", "suffix: \"?\""));

        string why = _tool.Run("why", "squares", "study.yaml").Output;
        var run = Run();

        Assert.Contains("setting 'suffix' changed from \"!\" to \"?\" at study.yaml(5,", why);
        Assert.Equal((0, 6), (run.Count("rows", "executed"), run.Count("squares", "executed")));
        Assert.Contains("When it last ran", _tool.Run("why", "squares", "study.yaml").Output);
    }

    [Fact]
    public async Task Plan_and_why_say_in_words_what_would_run()
    {
        _tool.Write("study.yaml", Stages);
        string first = _tool.Run("plan", "study.yaml").Output;
        Run();
        string done = _tool.Run("plan", "study.yaml").Output;
        _tool.Write("study.yaml", Stages.Replace("count: 3", "count: 4").Replace("\"!\"", "\"?\""));
        string changed = WithoutTimes(_tool.Run("plan", "study.yaml").Output);
        string why = WithoutTimes(_tool.Run("why", "squares@p4", "study.yaml").Output);
        why = System.Text.RegularExpressions.Regex.Replace(why, "\\b[0-9a-f]{12}\\b", "KEY");

        await Snapshot.Match($"# before the first run\n{first}\n# after it\n{done}\n# after changes\n{changed}\n# why squares@p4\n{why}");
    }

    [Fact]
    public void A_result_that_is_edited_or_deleted_is_written_again()
    {
        _tool.Write("study.yaml", Stages);
        Run();
        var results = _tool.Results("study");
        File.WriteAllText(_tool.Folder["results/study/squares/squares.csv"], "edited");
        File.Delete(_tool.Folder["results/study/total/total.json"]);

        Assert.Equal(0, Run().Executed);
        Assert.Equal(results, _tool.Results("study"));
    }

    [Fact]
    public void Results_that_a_stage_gives_no_more_are_removed_unless_somebody_edited_them()
    {
        _tool.Write("study.yaml", Stages);
        Run();
        File.WriteAllText(_tool.Folder["results/study/squares/p3.1/note.txt"], "mine");
        _tool.Write("study.yaml", Stages.Replace("count: 3", "count: 2"));
        Run();

        Assert.True(File.Exists(_tool.Folder["results/study/squares/p3.1/note.txt"]));
        Assert.False(Directory.Exists(_tool.Folder["results/study/squares/p3.2"]));
        Assert.True(File.Exists(_tool.Folder["results/study/squares/p2.2/note.txt"]));
    }

    [Fact]
    public void Damaged_entries_are_reported_and_computed_again()
    {
        _tool.Write("study.yaml", Stages);
        Run();
        var results = _tool.Results("study", IsByteStable);
        foreach (string entry in Directory.EnumerateFiles(_tool.Folder["store/entries"], "*", SearchOption.AllDirectories))
        {
            byte[] bytes = File.ReadAllBytes(entry);
            bytes[bytes.Length / 2] ^= 1;
            File.WriteAllBytes(entry, bytes);
        }

        var run = Run();

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("SCAL4002", run.Error);
        Assert.Equal(8, run.Executed);
        Assert.Equal(results, _tool.Results("study", IsByteStable));
        Assert.Equal(0, Run().Executed);
    }

    [Fact]
    public void A_changed_source_of_a_plugin_executes_its_stage_alone()
    {
        // A copy of the example below the repository, so that the build's rules apply to it.
        string copy = Path.Combine(AppContext.BaseDirectory, "hello copy", Guid.NewGuid().ToString("N"));
        try
        {
            CopySources(Path.Combine(Repository.Root, "examples", "HelloStage"), copy);
            string project = Path.Combine(copy, "HelloStage.csproj");
            File.WriteAllText(project, File.ReadAllText(project).Replace("../../tool", Path.Combine(Repository.Root, "tool")));
            string source = Path.Combine(copy, "HelloStage.cs");
            Build(project);
            _tool.Folder.Write("hello.yaml", $$"""
                plugins:
                  - path: {{copy}}/out/HelloStage.dll
                  - path: {{Tool.TestPlugin}}
                stages:
                  greeting: { uses: hello }
                  rows: { uses: echo, with: { count: 2 } }
                  squares: { uses: square, needs: rows }

                """);
            Run("hello.yaml");
            File.WriteAllText(source, File.ReadAllText(source).Replace(", world.", ", big world."));
            Build(project);

            string why = _tool.Run("why", "greeting", "hello.yaml").Output;
            var run = Run("hello.yaml");

            Assert.Contains("the assembly HelloStage.dll changed", why);
            Assert.Equal((1, 1), (run.Executed, run.Count("greeting", "executed")));
            Assert.Equal("Hello, big world.\n", File.ReadAllText(_tool.Folder["results/hello/greeting/greeting.txt"]));
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
        }
    }

    [Theory]
    [InlineData("libfast.so")]
    [InlineData("runtimes/linux-x64/native/libfast.so")]
    public void A_changed_native_library_beside_a_plugin_executes_its_stages(string library)
    {
        string plugin = _tool.WriteWithOwnPlugin("study.yaml", Stages);
        string path = Path.Combine(plugin, library);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "first build");
        Run();
        File.WriteAllText(path, "second build");

        string why = _tool.Run("why", "squares", "study.yaml").Output;
        var run = Run();

        Assert.Equal((6, 1), (run.Count("squares", "executed"), run.Count("total", "executed")));
        Assert.Contains($"the native library {library} changed", why);
    }

    [Fact]
    public void A_stage_that_is_new_is_not_taken_for_one_of_its_type_that_is_still_there()
    {
        _tool.Write("study.yaml", Stages);
        Run();
        _tool.Write("study.yaml", Stages + "  more: { uses: square, needs: rows, with: { suffix: new } }\n");

        string why = _tool.Run("plan", "study.yaml").Output;
        _tool.Write("study.yaml", Stages.Replace("squares", "powers").Replace("\"!\"", "\"?\""));
        string renamed = _tool.Run("why", "powers", "study.yaml").Output;

        Assert.DoesNotContain("setting 'suffix' changed", why);
        Assert.Contains("this stage was not in the last run", why);
        Assert.Contains("setting 'suffix' changed", renamed);
    }

    [Fact]
    public void Why_says_what_changed_of_a_stage_that_planning_itself_has_executed()
    {
        _tool.Write("study.yaml", Stages);
        Run();
        _tool.Write("study.yaml", Stages.Replace("count: 3", "count: 4"));

        string first = _tool.Run("why", "rows", "study.yaml").Output;
        string second = _tool.Run("why", "rows", "study.yaml").Output;

        Assert.Contains("setting 'count' changed from 3 to 4 at study.yaml(4,", first);
        Assert.Equal(first, second);
    }

    private static string WithoutTimes(string text) => System.Text.RegularExpressions.Regex.Replace(text, @"\d+\.\d s\b", "TIME");

    /// <summary>Everything but the volatile output of <c>square</c>.</summary>
    private static bool IsByteStable(string result) => !result.EndsWith("times.csv", StringComparison.Ordinal);

    private Ended Run(string pipeline = "study.yaml")
    {
        var run = _tool.Run("run", pipeline, "--json");
        Assert.True(run.ExitCode == 0, run.Error);
        return run;
    }

    private static void CopySources(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.EnumerateFiles(from).Where(f => f.EndsWith(".cs", StringComparison.Ordinal) || f.EndsWith(".csproj", StringComparison.Ordinal)))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }
    }

    private static void Build(string project)
    {
        using var build = Process.Start(new ProcessStartInfo("dotnet", ["build", project, "-c", Tool.Configuration, "-o", Path.Combine(Path.GetDirectoryName(project)!, "out"), "-p:BuildProjectReferences=false", "-nodeReuse:false"])
        {
            RedirectStandardOutput = true,
        })!;
        string output = build.StandardOutput.ReadToEnd();
        build.WaitForExit();
        Assert.True(build.ExitCode == 0, output);
    }
}
