// Where actions run: what may be said of it in a pipeline and a profile, and what the user reads where something else stands there.
using Scaling.Engine.Executors;
using Scaling.TestKit;
using static Scaling.Engine.Tests.Pipelines.Reading;

namespace Scaling.Engine.Tests.Executors;

public class PlacementTests
{
    [Fact]
    public void Every_resource_is_read_in_its_unit()
    {
        var stage = Document("""
            stages:
              runs:
                uses: train
                executor: slurm
                resources:
                  partition: gpu,long
                  account: p123
                  qos: high
                  constraint: "a100|h100"
                  exclude: n[7-9]
                  gres: gpu:h100:1
                  nodes: 2
                  tasks_per_node: 1
                  cpus: 8
                  mem: 32G
                  time: 4h
                  pack: 10
                  limit: 1k
                  flags: [ --reservation=maintenance, "--comment=first try", -dsingleton ]
            """).Stages[0].Placement;

        var expected = new Resources
        {
            Partition = "gpu,long", Account = "p123", Qos = "high", Constraint = "a100|h100", Exclude = "n[7-9]", Gres = "gpu:h100:1",
            Nodes = 2, TasksPerNode = 1, Cpus = 8, MemoryMebibytes = 32768, Time = TimeSpan.FromHours(4), Pack = 10, Limit = 1000,
        };
        Assert.Equal(ExecutorKind.Slurm, stage.Executor);
        Assert.Equal(["--reservation=maintenance", "--comment=first try", "-dsingleton"], stage.Resources.Flags!);
        Assert.Equal(expected, stage.Resources with { Flags = null });
    }

    [Fact]
    public void What_is_not_said_is_nothing_and_one_flag_needs_no_list()
    {
        var document = Document("""
            executor: local
            resources: { partition: , flags: --exclusive }
            stages:
              a: { uses: sweep }
              b: { uses: sweep, executor: , resources: }
              c: { uses: sweep, resources: { flags: [] } }
            """);

        Assert.Equal((ExecutorKind.Local, null), (document.Placement.Executor, document.Placement.Resources.Partition));
        Assert.Equal(["--exclusive"], document.Placement.Resources.Flags!);
        Assert.Equal([Placement.None, Placement.None], document.Stages.Take(2).Select(s => s.Placement));
        Assert.Equal([], document.Stages[2].Placement.Resources.Over(document.Placement.Resources).Flags!);
    }

    [Theory]
    [InlineData("500", 500)]
    [InlineData("500M", 500)]
    [InlineData("500Mi", 500)]
    [InlineData("512K", 1)]
    [InlineData("1025K", 2)]
    [InlineData("32G", 32 * 1024)]
    [InlineData("32g", 32 * 1024)]
    [InlineData("1.5Gi", 1536)]
    [InlineData("1T", 1 << 20)]
    [InlineData("0.1M", 1)]
    public void Memory_counts_by_1024_as_Slurm_s_does_and_rounds_up_to_MiB(string text, long mebibytes) =>
        Assert.Equal(mebibytes, Document($"resources: {{ mem: {text} }}\nstages: {{ a: {{ uses: sweep }} }}").Placement.Resources.MemoryMebibytes);

    [Theory]
    [InlineData("90s", 90)]
    [InlineData("10m", 600)]
    [InlineData("1.5h", 5400)]
    [InlineData("2d", 2 * 86400)]
    [InlineData("00:10:30", 630)]
    [InlineData("48:00:00", 2 * 86400)]
    [InlineData("2-12", 60 * 3600)]
    [InlineData("2-12:30", 60 * 3600 + 1800)]
    [InlineData("\"2-12:30:05\"", 60 * 3600 + 1805)]
    public void Time_limits_are_written_as_here_or_as_for_Slurm(string text, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Document($"resources: {{ time: {text} }}\nstages: {{ a: {{ uses: sweep }} }}").Placement.Resources.Time);

    [Fact]
    public Task All_that_is_wrong_is_told_at_once_with_its_place() => Snapshot.Match(Findings("""
        executor: slrum
        resources: { partitoin: gpu, mem: 32GB, time: 30 }
        stages:
          a:
            uses: sweep
            executor: [slurm]
            resources: gpu
          b:
            uses: sweep
            executor: "Local"
            resources:
              partition: ""
              account: [p123]
              qos: " high"
              constraint: "a100\nb"
              exclude: "n1\u2028"
              gres: |
                gpu:1
              nodes: 0
              tasks_per_node: 1.5
              cpus: "4"
              pack: many
              limit: 3B
              mem: 0
              time: 00:00:00
              flags: { nice: 5 }
          c:
            uses: sweep
            resources: { mem: -1G, time: 12:30, nodes: *n, walltime: 4h }
          d: { uses: sweep, resources: { mem: 9999999T, time: 1-24 } }
          e: { uses: sweep, resources: { mem: 1.G, time: 400d } }
          f: { uses: sweep, resources: { time: 1:60:00 } }
          g: { uses: sweep, resources: { time: 0-0 } }
        """));

    [Fact]
    public Task A_flag_that_a_key_says_or_that_the_tool_gives_itself_is_refused() => Snapshot.Match(Findings("""
        stages:
          a:
            uses: sweep
            resources:
              flags:
                - --partition=gpu
                - -pgpu
                - --part=gpu
                - --nodes=2
                - --reservation maintenance
                - -w n1
                - -w=n1
                - --nice=
                - --ntasks=4
                - --mem=0
                - --time=1:00
                - --array=0-9
                - -Jmine
                - --output=log.txt
                - --parsable
                - --wrap=true
                - --wait
                - --test-only
                - --no-requeue
                - nice
                - ""
                - --
                - "---nice"
                - -1
                - --nice=5 --exclusive
                - [--nice=5]
                - --gpus-per-node=1
                - --mem-per-cpu=2G
                - --time-min=1:00
                - --exclusive
                - --nodelist=n1
                - -wn1
                - --mail-user=a-b@c-d.org
        """));

    [Fact]
    public void A_profile_has_the_same_two_keys_and_an_empty_one_says_nothing()
    {
        using var folder = new TemporaryFolder();

        var (said, findings) = Profile.Read(folder.Write("profile.yaml", "executor: slurm\nresources: { account: p123 }\n"));

        Assert.Empty(findings);
        Assert.Equal(new Placement(ExecutorKind.Slurm, new Resources { Account = "p123" }), said);
        foreach (string nothing in new[] { "", "# executor: slurm\n", "---\n", "executor:\nresources:\n" })
        {
            (said, findings) = Profile.Read(folder.Write("profile.yaml", nothing));
            Assert.Empty(findings);
            Assert.Equal(Placement.None, said);
        }
    }

    [Fact]
    public Task What_a_profile_cannot_say_is_told_with_its_place()
    {
        using var folder = new TemporaryFolder();
        string[] profiles =
        [
            "executer: slurm\nstages: { a: { uses: sweep } }\nresources: { time: 90 }\n", "slurm\n", "[slurm]\n", "*slurm\n", "executor: slurm\nexecutor: local\n", "executor: {\n",
        ];

        return Snapshot.Match(string.Join('\n', profiles.Select(p => Console(folder, Profile.Read(folder.Write("profile.yaml", p)).Findings))));
    }
}
