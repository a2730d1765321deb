// Where actions run, as it is said outside the pipeline file: in the user's profile and by --executor. A frozen plan shows who won.
using System.Text.Json.Nodes;

namespace Scaling.EndToEnd;

public sealed class PlacementTests : IDisposable
{
    private const string Usual = "config/dotnet-scaling/profile.yaml";

    private readonly Tool _tool = new();

    public PlacementTests() => _tool.Write("study.yaml", """
          rows: { uses: echo, with: { count: 2 } }
          squares: { uses: square, needs: rows, with: { factors: [1] }, resources: { cpus: 2 } }

        """);

    public void Dispose() => _tool.Dispose();

    [Fact]
    public void The_profile_of_the_configuration_folder_counts_until_a_variable_names_another()
    {
        Assert.Equal((null, """{"cpus":2}"""), Planned());

        _tool.Folder.Write(Usual, "executor: slurm\nresources: { account: p123, cpus: 8 }\n");
        Assert.Equal(("slurm", """{"account":"p123","cpus":2}"""), Planned());
        Assert.Equal((null, """{"account":"p123","cpus":2}"""), Planned("--executor", "local"));

        _tool.Folder.Write("mine.yaml", "resources: { partition: gpu }\n");
        _tool.Environment["SCALING_PROFILE"] = "mine.yaml";
        Assert.Equal((null, """{"partition":"gpu","cpus":2}"""), Planned());
        Assert.Equal(("slurm", """{"partition":"gpu","cpus":2}"""), Planned("--executor", "slurm"));
    }

    [Fact]
    public void Where_actions_run_changes_no_key()
    {
        Assert.Equal(0, _tool.Run("run", "study.yaml").ExitCode);
        _tool.Folder.Write(Usual, "executor: slurm\nresources: { account: p123 }\n");

        Assert.Contains("Nothing to do.", _tool.Run("plan", "study.yaml").Output);
        Assert.Contains("Nothing to do.", _tool.Run("plan", "study.yaml", "--executor", "slurm").Output);
    }

    [Fact]
    public void Mistakes_in_the_profile_are_told_with_those_of_the_pipeline()
    {
        _tool.Folder.Write(Usual, "# of the site\nexecutor: slrum\n");
        _tool.Folder.Write("wrong.yaml", "nam: a\nstages:\n  a: { uses: sweep, with: { sizes: [8k], layers: 2 }, resources: { cpus: 0 } }\n");

        var refused = _tool.Run("check", "wrong.yaml");

        Assert.Equal(3, refused.ExitCode);
        string[] found = [.. refused.Error.Replace(_tool.Folder.Path + "/", "").Split('\n').Where(line => line.Contains(": error ")).Select(line => line[..(line.IndexOf("SCAL") + 8)])];
        Assert.Equal([$"{Usual}(2,11): error SCAL2060", "wrong.yaml(1,1): error SCAL2021", "wrong.yaml(3,74): error SCAL2062"], found);
    }

    [Fact]
    public void A_profile_that_is_named_and_not_there_is_an_error()
    {
        _tool.Environment["SCALING_PROFILE"] = "nowhere.yaml";

        var refused = _tool.Run("plan", "study.yaml");

        Assert.Equal(2, refused.ExitCode);
        Assert.Equal("error SCAL1081: SCALING_PROFILE names the profile 'nowhere.yaml', and there is no such file. Write it, or unset SCALING_PROFILE.\n", refused.Error);
    }

    [Theory]
    [InlineData("run study.yaml")]
    [InlineData("plan study.yaml")]
    [InlineData("why squares study.yaml")]
    [InlineData("verify study.yaml")]
    [InlineData("status study.yaml")]
    [InlineData("logs squares study.yaml")]
    [InlineData("show squares study.yaml")]
    public void Each_command_that_looks_at_keys_is_told_where_and_says_what_it_takes(string command)
    {
        var refused = _tool.Run([.. command.Split(' '), "--executor", "slrum"]);

        Assert.Equal(2, refused.ExitCode);
        Assert.Equal("error SCAL1080: --executor takes local or slurm, found 'slrum'. Did you mean 'slurm'?", refused.Error.Split('\n')[0]);
    }

    /// <summary>Executor and resources that a frozen plan has of <c>squares</c>.</summary>
    private (string? Executor, string? Resources) Planned(params string[] options)
    {
        var plan = _tool.Run(["plan", "study.yaml", "--json", .. options]);
        Assert.True(plan.ExitCode == 0, plan.Error);
        var stages = JsonNode.Parse(plan.Output)!["stages"]!.AsArray();
        Assert.Null(stages[0]!["executor"]); // It lists rows while planning.
        return ((string?)stages[1]!["executor"], stages[1]!["resources"]?.ToJsonString());
    }
}
