// Who wins where several say where a stage runs: from the words to the linked stage, and through a frozen plan.
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Scaling.Engine.Executors;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Planning;
using Scaling.Engine.Plugins;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.Engine.Tests.Executors;

public sealed class ExecutorChoiceTests : IDisposable
{
    private const string Study = """
        executor: slurm
        resources: { partition: gpu, cpus: 4, time: 4h }
        stages:
          rows: { uses: rows, executor: slurm }
          open: { uses: work, needs: rows, resources: { time: 1h, flags: --exclusive } }
          here: { uses: work, needs: rows, executor: local }
          there: { uses: work, needs: rows, executor: slurm, resources: { cpus: 8, partition: long } }
        """;

    private readonly TemporaryFolder _folder = new();
    private readonly ContentStore _store;
    private readonly WorkerPool _workers;
    private readonly PluginCatalog _catalog;

    public ExecutorChoiceTests()
    {
        // Described by files, as those of an installed tool are: no worker starts.
        StageDeclaration[] types =
        [
            new() { Type = "rows", Summary = "Lists.", Outputs = [new OutputFile("rows.csv", "rows")], Enumerating = true },
            new() { Type = "work", Summary = "Works.", Inputs = [new InputRole("rows", "rows")], Outputs = [new OutputFile("work.csv", "work")] },
        ];
        foreach (var type in types)
        {
            var settings = new JsonObject { ["type"] = "object", ["properties"] = new JsonObject(), ["additionalProperties"] = false };
            var plugin = new PluginDescription(new PluginPackage(type.Type, "1.0.0"), $"{type.Type}.dll", [], [], [new StageDescriptor(type, settings, Contract.Revision)]);
            _folder.Write($"plugins/{type.Type}/{PluginDescription.FileName}", plugin.ToJson());
        }

        _store = ContentStore.Open(_folder["store"], _ => { });
        _workers = new WorkerPool(new WorkerCommand("/nowhere", []), _store.Root);
        _catalog = new PluginCatalog(_store, _workers, _folder["plugins"]);
    }

    public void Dispose()
    {
        _workers.Dispose();
        _store.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(null, null, null, "open here")] // Asked, of the pipeline, of the profile; the stages that stay here.
    [InlineData(null, null, "slurm", "here")]
    [InlineData(null, "local", "slurm", "open here")]
    [InlineData(null, null, "local", "open here")]
    [InlineData(null, "slurm", "local", "here")]
    [InlineData("slurm", "local", "local", "here")]
    [InlineData("slurm", null, null, "here")]
    [InlineData("local", "slurm", "slurm", "open here there")]
    [InlineData("local", null, null, "open here there")]
    public async Task Local_sends_everything_here_and_else_the_nearest_word_wins(string? asked, string? pipeline, string? profile, string here)
    {
        string study = Study.Replace("executor: slurm\nresources", (pipeline is null ? "" : $"executor: {pipeline}\n") + "resources");

        var stages = (await Link(study, new ExecutorChoice(Kind(asked), new Placement(Kind(profile), Resources.None)))).Stages;

        Assert.Equal($"rows {here}", string.Join(' ', stages.Where(s => s.Executor == ExecutorKind.Local).Select(s => s.Id)));
    }

    [Fact]
    public async Task Resources_are_the_stage_s_over_the_pipeline_s_over_the_profile_s_key_by_key()
    {
        var profile = new Resources { Account = "p123", Partition = "small", Flags = ["--nice=5"] };

        var stages = (await Link(Study, new ExecutorChoice(null, new Placement(null, profile)))).Stages.ToDictionary(s => s.Id);

        var all = new Resources { Account = "p123", Partition = "gpu", Cpus = 4, Time = TimeSpan.FromHours(4), Flags = profile.Flags };
        Assert.Equal(all, stages["here"].Resources);
        Assert.Equal(all with { Cpus = 8, Partition = "long" }, stages["there"].Resources);
        Assert.Equal(["--exclusive"], stages["open"].Resources.Flags!);
        Assert.Equal(all with { Time = TimeSpan.FromHours(1) }, stages["open"].Resources with { Flags = profile.Flags });
    }

    [Theory]
    [InlineData(null)]
    [InlineData(ExecutorKind.Slurm)]
    [InlineData(ExecutorKind.Local)]
    public async Task A_frozen_plan_says_the_same_as_its_pipeline_and_executor_outdoes_it_likewise(ExecutorKind? asked)
    {
        foreach (string study in new[] { Study, Study.Replace("executor: slurm\nresources", "resources"), "stages:\n  rows: { uses: rows }\n  open: { uses: work, needs: rows }\n" })
        {
            var plan = Frozen(await Link(study, ExecutorChoice.None));

            var expected = await Link(study, new ExecutorChoice(asked, Placement.None));
            var thawed = await new PlanThaw(_catalog, _store, asked).Pipeline(plan);

            // A pipeline's slurm is frozen as its stages', which an asked local outdoes and an asked slurm repeats.
            Assert.Equal(expected.Stages.Select(s => (s.Id, s.Executor)), thawed.Stages.Select(s => (s.Id, s.Executor)));
            Assert.Equal(expected.Stages.Select(s => s.Resources with { Flags = null }), thawed.Stages.Select(s => s.Resources with { Flags = null }));
            Assert.Equal(expected.Stages.SelectMany(s => s.Resources.Flags ?? []), thawed.Stages.SelectMany(s => s.Resources.Flags ?? []));
        }
    }

    [Fact]
    public async Task A_plan_has_executor_and_resources_only_where_something_is_said()
    {
        Frozen(await Link(Study, ExecutorChoice.None));
        string[] said = [.. File.ReadAllLines(_folder["plan.json"]).Where(line => Regex.IsMatch(line, "\"(id|executor|resources)\":")).Select(line => line.Trim())];
        Frozen(await Link("stages:\n  rows: { uses: rows }\n", ExecutorChoice.None));
        string unsaid = File.ReadAllText(_folder["plan.json"]);

        Assert.Equal(
            """
            "id": "rows",
            "resources": {"partition":"gpu","cpus":4,"time":"04:00:00"},
            "id": "open",
            "executor": "slurm",
            "resources": {"partition":"gpu","cpus":4,"time":"01:00:00","flags":["--exclusive"]},
            "id": "here",
            "executor": "local",
            "resources": {"partition":"gpu","cpus":4,"time":"04:00:00"},
            "id": "there",
            "executor": "slurm",
            "resources": {"partition":"long","cpus":8,"time":"04:00:00"},
            """,
            string.Join('\n', said));
        Assert.DoesNotContain("\"executor\"", unsaid);
        Assert.DoesNotContain("\"resources\"", unsaid);
    }

    private async Task<Pipeline> Link(string yaml, ExecutorChoice choice)
    {
        var (document, findings) = PipelineReader.Read(_folder.Write("study.yaml", yaml));
        Assert.Empty(findings);
        var (pipeline, more) = await new Linker(_catalog, _store, choice: choice).Link(document!);
        Assert.Empty(more);
        return pipeline!;
    }

    /// <summary>As it is read from its file.</summary>
    private FrozenPlan Frozen(Pipeline pipeline)
    {
        using (var file = File.CreateText(_folder["plan.json"]))
        {
            FrozenPlan.Of(pipeline, [.. pipeline.Stages.Select(s => new StageAhead(s, StageOutlook.Depends, null, [], []))], _ => null, "0").Write(file);
        }

        return FrozenPlan.Read(_folder["plan.json"]);
    }

    private static ExecutorKind? Kind(string? word) => word is null ? null : Placement.Executors[word];
}
