// Studies on a real cluster: the quickstart, several nodes, nodes without .NET, and the kind of machine.
using System.Runtime.InteropServices;
using Scaling.EndToEnd;
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.Slurm.Tests;

public sealed class ClusterRunTests(RunningCluster running) : IClassFixture<RunningCluster>, IDisposable
{
    /// <summary>How long rows took.</summary>
    private const string Times = "timings.csv";

    private readonly Login _login = new(running.Cluster);

    private Tool Tool => _login.Tool;

    public void Dispose() => _login.Dispose();

    /// <summary>Nodes on which there is no .NET: where it is here, there is nothing there; nor is it on their PATH, nor in a home.</summary>
    [SlurmFact]
    public void The_quickstart_gives_on_nodes_without_dotnet_what_it_gives_here()
    {
        string yaml = File.ReadAllText(Path.Combine(Repository.Root, "pipelines", "quickstart.yaml"));
        foreach (var (usual, small) in new[] { ("[6k, 12k, 24k]", "[4k, 8k]"), ("[0.14, 0.2, 0.28]", "[0.16, 0.24]"), ("[0.6, 1.5, 3.2]", "[0.75, 2]"), ("      gqa: 2 ", "      gqa: 1 "), ("[64k, 128k]", "[16k]"), ("size: 64k", "size: 16k"), ("hidden: 48, ratio: 4, gqa: 2", "hidden: 24, ratio: 2, gqa: 1"), ("tokens_per_parameter: [10, 20]", "tokens_per_parameter: [2]"), ("{ prompt: 128, output: 64, batch: 8 }", "{ prompt: 16, output: 8, batch: 2 }") })
        {
            Assert.Contains(usual, yaml, StringComparison.Ordinal);
            yaml = yaml.Replace(usual, small, StringComparison.Ordinal);
        }

        string dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));
        _login.Folder.Write("quickstart.yaml", yaml.Replace("stages:", $$"""
            resources:
              pack: 2
              flags: ["--export=PATH=/usr/bin:/bin"]
              wrap: [unshare, -m, sh, -c, 'mount -t tmpfs none "$0" && ! dotnet --version && export HOME=/nonexistent && exec "$@"', "{{dotnet}}"]
            stages:
            """));

        var run = _login.Call("run", "quickstart.yaml", "--executor", "slurm", "--json").Succeeds();

        _login.AssertNothingTwice();
        var trained = Assert.Single(_login.Jobs, j => j.Record.Stage == "runs" && !j.Record.IsProbe);
        Assert.Equal((4, "#SBATCH --array=0-3"), (trained.Record.Tasks, File.ReadAllLines(Path.Combine(trained.Folder.Path, "script.sh")).Single(l => l.StartsWith("#SBATCH --array=", StringComparison.Ordinal))));
        Assert.Contains("dotnet: not found", File.ReadAllText(trained.Folder.LogOf(0)), StringComparison.Ordinal);
        Assert.Equal((8, 8, 1, 1), (run.Count("runs", "executed"), run.Count("speed", "executed"), run.Count("law", "executed"), run.Count("config", "executed")));

        // What is measured differs from run to run, and so does what is made of it: here it is left out.
        string[] parts = yaml.Split("\n  # ");
        _login.Folder.Write("alone/quickstart.yaml", string.Join("\n  # ", parts.Where(p => !p.Contains("uses: measure", StringComparison.Ordinal) && !p.Contains("uses: search", StringComparison.Ordinal) && !p.Contains("uses: export", StringComparison.Ordinal))));
        string here = _login.RunHere("alone/quickstart.yaml");
        string[] files = [.. Directory.EnumerateFiles(here, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(here, f)).Where(f => Path.GetFileName(f) != Times)];
        Assert.True(files.Length >= 5, string.Join(", ", files));
        Assert.All(files, file => _login.AssertSame(here, file));
        Assert.True(File.Exists(_login.Folder["results/quickstart/config/report.md"]));
        Assert.Equal(0, _login.Call("run", "quickstart.yaml", "--executor", "slurm", "--json").Succeeds().Executed);
    }

    [SlurmFact]
    public void A_circle_of_feedback_has_its_rounds_on_nodes()
    {
        Tool.Write("study.yaml", "  shapes: { uses: guess, feedback: runs, with: { each: 3, until: 20 } }\n  runs: { uses: square, needs: shapes }\n");

        var run = _login.Call("run", "study.yaml", "--executor", "slurm", "--json").Succeeds();

        Assert.Equal((3, 6, 3), (run.Count("shapes", "executed"), run.Count("runs", "executed"), run.Count("runs", "rounds")));
        Assert.Equal([3, 3], _login.Jobs.Where(j => j.Record.Stage == "runs").Select(j => j.Record.Tasks));
        Assert.Equal("runs", Assert.Single(run.Summary["cluster"]!.AsArray())!["stage"]!.GetValue<string>());
        _login.AssertNothingTwice();
        Assert.Equal(0, _login.Call("run", "study.yaml", "--executor", "slurm", "--json").Succeeds().Executed);
    }

    [SlurmFact]
    public void An_external_trainer_works_on_two_nodes()
    {
        _login.Folder.Write("two.sh", """
            set -e
            srun --ntasks-per-node=1 sh -c 'echo "$SLURMD_NODENAME of $SLURM_NNODES" > "$SCALING_WORK/rank.$SLURM_PROCID"'
            cat "$SCALING_WORK"/rank.*
            tokens=$(sed -n 's/.*"tokens": *\([0-9]*\).*/\1/p' "$SCALING_REQUEST" | head -n 1)
            echo "{\"version\":1,\"tokens\":$tokens,\"loss\":4.5,\"annealed\":true}" >> "$SCALING_RESULT"

            """);
        _login.Folder.Write("study.yaml", """
            stages:
              shapes: { uses: sweep, with: { sizes: [8k], layers: 2, head_size: 8, multiple_of: 4, x: 0.2, ratio: 1.5, gqa: 2 } }
              runs:
                uses: train
                needs: shapes
                resources: { nodes: 2 }
                with: { corpus: dotnet-docs, tokens_per_parameter: [10], trainer: { command: [sh, "{files/two.sh}"], files: two.sh } }

            """);

        _login.Start().Succeeds();

        var row = Assert.Single(Table.Read(_login.Folder["results/study/runs/runs.csv"]).Each());
        Assert.Equal(4.5, row.Number("loss"));
        var job = _login.JobOf("runs");
        Assert.Contains("#SBATCH --nodes=2", File.ReadAllText(Path.Combine(job.Folder.Path, "script.sh")), StringComparison.Ordinal);
        Assert.Equal("n1 of 2\nn2 of 2", string.Join('\n', Tool.Run("logs", "runs@", "study.yaml", "--executor", "slurm").Output.Split('\n').Where(l => l.EndsWith(" of 2", StringComparison.Ordinal)).Order()));
    }

    [SlurmFact]
    public void A_store_whose_path_has_spaces_quotes_and_percent_signs_is_as_good_as_any()
    {
        Tool.Environment["SCALING_CACHE"] = _login.Folder["a 100%j \"store\" of $HOME's"];
        _login.WriteSlow(10, "{ limit: 2 }");

        _login.Start().Succeeds();

        Assert.Equal(5, File.ReadAllLines(_login.Folder["results/study/work/rows.csv"]).Length);
        Assert.Equal(4, Tool.Journal("misbehave-row"));
        var (folder, record, number) = _login.JobOf("work");
        Assert.All(Enumerable.Range(0, record.Tasks), i => Assert.Contains($"Job {number}, task {i}, on n", File.ReadAllText(folder.LogOf(i)), StringComparison.Ordinal));
    }

    [SlurmFact]
    public void A_pack_of_small_rows_is_one_task()
    {
        _login.WriteSlow(10, "{ pack: 3, cpus: 2 }");

        _login.Start().Succeeds();

        var job = _login.JobOf("work");
        Assert.Equal((2, 4), (job.Record.Tasks, Tool.Journal("misbehave-row")));
        Assert.Equal(5, File.ReadAllLines(_login.Folder["results/study/work/rows.csv"]).Length);
        _login.AssertNothingTwice();
    }

    /// <summary>A task that may use one processor alone is on another kind of machine than the one that was asked.</summary>
    [SlurmFact]
    public void Nodes_that_turn_out_to_be_of_another_kind_are_refused_and_then_asked_again()
    {
        const string Study = "  rows: { uses: echo, with: { text: \"a,b\", count: 2 } }\n  timed: { uses: batch, needs: rows";
        Tool.Write("study.yaml", $"{Study} }}\n");
        _login.Start().Succeeds();
        Assert.Single(_login.Jobs, j => j.Record.IsProbe);
        Assert.Equal(2, Tool.Journal("batch"));

        Tool.Write("study.yaml", $"{Study}, resources: {{ wrap: [taskset, -c, \"0\"] }} }}\n".Replace("a,b", "a,c", StringComparison.Ordinal));
        var refused = _login.Run();
        Assert.Equal(4, refused.ExitCode);
        Login.AssertSaid(refused, "SCAL3024");
        Assert.Equal(2, Tool.Journal("batch"));

        _login.Start().Succeeds();
        Assert.Equal(2, _login.Jobs.Count(j => j.Record.IsProbe));
        Assert.Equal(4, Tool.Journal("batch")); // On this kind of machine no row was measured before.
    }
}
