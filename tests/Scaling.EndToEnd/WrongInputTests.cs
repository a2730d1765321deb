// What a user sees after a mistake: a code, a place, what was expected, the documented exit code, and no stack trace.
using System.Diagnostics;
using System.Text;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

public sealed class WrongInputTests : IDisposable
{
    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Theory]
    [MemberData(nameof(WrongPipelines.All), MemberType = typeof(WrongPipelines))]
    public async Task A_wrong_pipeline_is_refused_with_everything_that_is_wrong(string mistake, string yaml)
    {
        _tool.Folder.Write("wrong.yaml", yaml);

        var run = _tool.Run("run", "wrong.yaml");

        Assert.Equal(3, run.ExitCode);
        Assert.DoesNotContain("   at ", run.Error);
        await Snapshot.Match(_tool.Portable(run.Error), mistake.Replace(' ', '-'));
    }

    [Fact]
    public void A_binary_file_is_refused()
    {
        File.WriteAllBytes(_tool.Folder["wrong.yaml"], [0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 3]);

        Refused(3, "wrong.yaml(1,", "SCAL2", "run", "wrong.yaml");
    }

    [Fact]
    public void A_hundred_thousand_brackets_are_answered_within_a_second()
    {
        _tool.Folder.Write("warm.yaml", "stages: [\n");
        _tool.Run("check", "warm.yaml");
        _tool.Folder.Write("wrong.yaml", new StringBuilder("stages: ").Insert(8, "[", 100_000).ToString());
        var elapsed = Stopwatch.StartNew();

        Refused(3, "wrong.yaml(1,", "SCAL2", "check", "wrong.yaml");

        Assert.True(elapsed.Elapsed < TimeSpan.FromSeconds(5), $"it took {elapsed.Elapsed}; a second is the promise, on an idle machine");
    }

    [Fact]
    public void A_missing_file_and_a_folder_are_no_pipelines()
    {
        Directory.CreateDirectory(_tool.Folder["folder.yaml"]);

        Refused(3, "missing.yaml", "SCAL2", "run", "missing.yaml");
        Refused(3, "folder.yaml", "SCAL2", "run", "folder.yaml");
    }

    [Fact]
    public void An_output_folder_that_is_a_file_is_refused_before_any_work()
    {
        _tool.Write("study.yaml", "  rows: { uses: echo }\n");
        _tool.Folder.Write("taken", "a file");

        Refused(2, "taken", "SCAL1002", "run", "study.yaml", "--out", "taken");
        Assert.Equal(0, _tool.Journal("echo"));
    }

    [Fact]
    public void A_store_that_is_a_file_is_an_infrastructure_failure()
    {
        _tool.Write("study.yaml", "  rows: { uses: echo }\n");
        _tool.Folder.Write("taken", "a file");

        Refused(5, "--cache", "SCAL4001", "run", "study.yaml", "--cache", "taken");
    }

    [Theory]
    [InlineData("run")]
    [InlineData("rum study.yaml")]
    [InlineData("run study.yaml --jops 2")]
    [InlineData("run study.yaml --jobs many")]
    [InlineData("run study.yaml --jobs 0")]
    [InlineData("why nothing study.yaml")]
    [InlineData("why rows@p9 study.yaml")]
    [InlineData("graph study.yaml --format dott")]
    public void A_wrong_command_line_is_exit_code_2(string line)
    {
        _tool.Write("study.yaml", "  rows: { uses: echo }\n");

        Refused(2, "", "SCAL1", line.Split(' '));
    }

    [Fact]
    public void A_plugin_that_is_none_is_refused_where_it_is_named()
    {
        _tool.Folder.Write("no.dll", "this is no assembly");
        _tool.Folder.Write("study.yaml", "plugins:\n  - path: no.dll\nstages:\n  a: { uses: mine }\n");

        Refused(3, "study.yaml(2,", "SCAL6002", "run", "study.yaml");
    }

    private void Refused(int exitCode, string place, string code, params string[] line)
    {
        var run = _tool.Run(line);
        Assert.True(run.ExitCode == exitCode, $"exit code {run.ExitCode}: {run.Error}");
        Assert.Contains(place, run.Error);
        Assert.Contains($"error {code}", run.Error);
        Assert.DoesNotContain("   at ", run.Error);
    }
}
