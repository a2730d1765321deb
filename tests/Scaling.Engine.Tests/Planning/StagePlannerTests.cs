// Which changes of a pipeline change which keys.
using System.Text;
using System.Text.Json.Nodes;
using Scaling.Engine.Execution;
using Scaling.Engine.Executors;
using Scaling.Engine.Keys;
using Scaling.Engine.Planning;
using Scaling.Engine.Plugins;
using Scaling.Engine.Store;
using Scaling.Sdk;
using Scaling.TestKit;
using StageResult = Scaling.Engine.Planning.StageResult;

namespace Scaling.Engine.Tests.Planning;

public sealed class StagePlannerTests : IDisposable
{
    private static readonly StageDeclaration Rows = new() { Type = "rows", Summary = "", Outputs = [new OutputFile("rows.csv", "rows")] };

    private static readonly StageDeclaration Work = new()
    {
        Type = "work",
        Summary = "",
        Inputs = [new InputRole("rows", "rows"), new InputRole("extra", "extra", Cardinality.Many)],
        Outputs = [new OutputFile("work.csv", "work")],
        FanOut = new FanOut("rows", ["id", "width"], ["id"]) { Across = "budgets" },
        Prepare = new PrepareAction(["corpus"], ["tokens.bin"]),
        UsesPipelineSeed = true,
    };

    private readonly TemporaryFolder _folder = new();
    private readonly ContentStore _store;

    public StagePlannerTests() => _store = ContentStore.Open(_folder["store"], _ => { });

    public void Dispose()
    {
        _store.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void There_is_an_action_for_each_distinct_row_and_element_in_the_order_of_their_points()
    {
        var plan = Plan(rows: "id,width,note\n10,1,x\n9,1,y\n9,1,z\n");

        Assert.Equal(["9.1", "9.2", "10.1", "10.2"], plan.Actions.Select(a => a.Point));
        Assert.Equal("[2]", plan.Actions[1].Settings["budgets"]!.ToJsonString());
    }

    [Fact]
    public void Names_positions_unread_columns_and_order_of_elements_change_no_key()
    {
        string[] keys = Keys(Plan());

        Assert.Equal(keys, Keys(Plan(stageId: "renamed")));
        Assert.Equal(keys, Keys(Plan(pipelineName: "renamed")));
        Assert.Equal(keys, Keys(Plan(rows: "note,width,id\nnew,20,b\nnew,10,a\n")));
        Assert.Equal(keys, Keys(Plan(budgets: "[2,1]")));
        Assert.Equal(keys, Keys(Plan(corpusPath: "moved/elsewhere.txt")));
        Assert.Equal(keys, Keys(Plan(jobs: "other folder")));
    }

    [Fact]
    public void Where_a_stage_runs_and_what_it_asks_of_a_cluster_change_no_key()
    {
        var here = Plan();
        var everything = new Resources
        {
            Partition = "p", Account = "a", Qos = "q", Constraint = "c", Exclude = "n1", Gres = "gpu:1", Nodes = 2, TasksPerNode = 3, Cpus = 4, MemoryMebibytes = 5, Time = TimeSpan.FromHours(1), Pack = 6, Limit = 7, Flags = ["--exclusive"], Wrap = ["nice"],
        };
        Assert.DoesNotContain(null, typeof(Resources).GetProperties().Where(p => !p.GetMethod!.IsStatic).Select(p => p.GetValue(everything)));

        var there = Plan(executor: ExecutorKind.Slurm, resources: everything);
        Assert.Equal((ExecutorKind.Slurm, everything), (there.Stage.Executor, there.Stage.Resources));
        Assert.Equal(Keys(here), Keys(there));
        Assert.Equal(here.Prepare!.Key, there.Prepare!.Key);
        Assert.Equal(here.CollectionEntries([]), there.CollectionEntries([]));
    }

    [Fact]
    public void Everything_that_a_result_depends_on_changes_every_key()
    {
        string[] keys = Keys(Plan());
        StagePlan[] changed =
        [
            Plan(seed: 2), Plan(rate: "0.2"), Plan(corpus: "other text"), Plan(extra: "other"), Plan(scheme: "tokens"),
            Plan(code: [new KeyEntry(EntryKind.Assembly, "a.dll", "other")]),
            Plan(code: [new KeyEntry(EntryKind.Assembly, "a.dll", "1"), new KeyEntry(EntryKind.Native, "n", "1.0 sha")]),
            Plan(declaration: Work with { Determinism = Determinism.Statistical }),
            Plan(declaration: Work with { Type = "work-2" }),
            Plan(declaration: Work with { Exclusive = true }),
            Plan(contract: Contract.Revision + 1),
            Plan(rows: "id,width\na,11\nb,21\n"),
        ];

        Assert.All(changed, plan => Assert.Empty(Keys(plan).Intersect(keys)));
        Assert.Equal(changed.Length, changed.Select(p => p.Actions[0].Key).Distinct().Count());
    }

    [Fact]
    public void A_new_element_leaves_the_keys_of_the_others()
    {
        string[] keys = Keys(Plan());

        Assert.Equal(2, Keys(Plan(budgets: "[1,2,3]")).Except(keys).Count());
        Assert.Equal(2, Keys(Plan(rows: "id,width\na,10\nb,20\nc,30\n")).Except(keys).Count());
    }

    [Fact]
    public void The_shared_action_depends_only_on_what_it_reads()
    {
        string key = Plan().Prepare!.Key;

        Assert.Equal(key, Plan(rate: "0.2").Prepare!.Key);
        Assert.Equal(key, Plan(rows: "id,width\nz,1\n").Prepare!.Key);
        Assert.NotEqual(key, Plan(corpus: "other text").Prepare!.Key);
    }

    [Fact]
    public void Two_inputs_swapped_are_another_key()
    {
        string[] keys = Keys(Plan(extra: "one|two"));

        Assert.Empty(Keys(Plan(extra: "two|one")).Intersect(keys));
    }

    [Fact]
    public void An_optional_column_enters_key_and_point_only_where_its_cell_is_not_the_usual_one()
    {
        var optional = Work with { FanOut = Work.FanOut! with { Optional = new Dictionary<string, string> { ["factor"] = "1" }, Point = ["id", "factor"] } };
        string[] keys = Keys(Plan());
        var plan = Plan(declaration: optional, rows: "id,width,factor\na,10,1\nb,20,1\nb,20,2\n");

        Assert.Equal(keys, Keys(Plan(declaration: optional)));
        Assert.Equal(2, Keys(plan).Except(keys).Count());
        Assert.Equal(["a.1", "a.2", "b.1", "b.2", "b.factor_2.1", "b.factor_2.2"], plan.Actions.Select(a => a.Point));
        Assert.Equal("2", plan.Actions[^1].Row!["factor"]);
        Assert.Equal("1", plan.Actions[0].Row!["factor"]);
    }

    [Fact]
    public void A_missing_column_is_named_with_the_columns_that_are_there()
    {
        var failed = Assert.Throws<StageFailedException>(() => Plan(rows: "id,height\na,1\n"));

        Assert.Equal("p.yaml(5,3): error SCAL3009: The stage 'work' (work) reads the column(s) width of 'input', which has id, height.", failed.Diagnostics[0].ToString());
    }

    [Theory]
    [InlineData("id,width\na,1,2\n", "row 1 has 3 cells where the header has 2")]
    [InlineData("", "it is empty")]
    public void Rows_that_a_stage_gave_and_that_are_no_table_are_told_where_they_are_needed(string rows, string why)
    {
        var failed = Assert.Throws<StageFailedException>(() => Plan(rows: rows));

        Assert.StartsWith($"p.yaml(5,3): error SCAL3102: What 'input' (rows) gave as the rows of 'work' (work) is no table: {why}.", failed.Diagnostics[0].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_two_inputs_of_one_name_each_is_compared_with_its_own_and_the_nearest_entry_is_found()
    {
        var plan = Plan();
        KeyEntry[] old = [new(EntryKind.Setting, "rate", "0.1"), new(EntryKind.Input, "role[0]", "a"), new(EntryKind.Input, "role[0]", "b")];
        var action = plan.Actions[0] with { Key = ActionKey.Of([.. old[..2], new(EntryKind.Input, "role[0]", "c")]), Entries = [.. old[..2], new(EntryKind.Input, "role[0]", "c")] };
        var explainer = new Explainer(_store, null, new Pipeline("p", "/p.yaml", 1, [plan.Stage]));

        Assert.Empty(explainer.Differences(plan, old, old));
        Assert.Equal(("b", "c"), explainer.Differences(plan, old, action.Entries).Select(d => (d.Was!, d.Now!)).Single());
        Assert.Equal(("b", null), explainer.Differences(plan, old, old[..2]).Select(d => (d.Was!, d.Now)).Single());

        string key = ActionKey.Of(old);
        _store.Publish(new Manifest(key, "work", null, old, [], 1, _store.Now));
        var history = new RunHistory(_store, "/p.yaml");
        history.Keep(new RunRecord("p", "/p.yaml", _store.Now, _store.Now, 0, [new RecordedStage("work", "work", [new RecordedAction("a.1", key)], 1, [])], "", []), null);
        Assert.Equal("c", new PastEntries(_store, history).Nearest(plan, action, explainer)!.Differences.Single().Now);
    }

    [Fact]
    public void Rows_that_go_between_their_finding_and_their_collection_are_told_as_lost()
    {
        var plan = Plan();
        foreach (var action in plan.Actions)
        {
            _store.Publish(new Manifest(action.Key, "work", action.Point, action.Entries, [_store.Take("id\n"u8.ToArray(), "work.csv", "work")], 1, _store.Now));
        }

        var collector = new Collector(_store);
        collector.Join(plan, collector.Look(plan));
        var found = collector.Look(plan);
        Assert.All(found.Values, Assert.Null); // The collection alone was looked at.
        Directory.Delete(_folder["store/entries"], recursive: true);

        Assert.Equal("SCAL4005", Assert.Throws<InfrastructureException>(() => collector.Join(plan, found)).Diagnostic.Code);
    }

    [Fact]
    public void Points_are_safe_names_of_folders()
    {
        var plan = Plan(rows: "id,width\n../up,1\na b,1\na/b,1\n");

        Assert.All(plan.Actions, a => Assert.Equal(a.Point, Path.GetFileName(a.Point)));
        Assert.Equal(plan.Actions.Count, plan.Actions.Select(a => a.Point).Distinct().Count());
        Assert.DoesNotContain(plan.Actions, a => a.Point!.StartsWith('.'));
    }

    [Fact]
    public void Points_keep_clear_of_the_names_that_stand_beside_them_in_results()
    {
        var plan = Plan(rows: $"id,width\nlogs,1\nfailed.csv,1\nwork.csv,1\n{new string('n', 300)},1\n{new string('n', 301)},1\n", budgets: "[1]", declaration: Work with { FanOut = Work.FanOut! with { Across = null } });

        Assert.Equal(5, plan.Actions.Select(a => a.Point).Distinct().Count());
        Assert.All(plan.Actions, a => Assert.InRange(a.Point!.Length, 1, 200));
        Assert.Empty(plan.Actions.Select(a => a.Point).Intersect(["logs", "failed.csv", "work.csv"]));
    }

    [Fact]
    public void A_record_without_settings_is_another_key_than_none()
    {
        Assert.NotEqual(Keys(Plan(rate: "{}")), Keys(Plan(rate: "null")));
        Assert.NotEqual(Keys(Plan(rate: """{"inner":{}}""")), Keys(Plan(rate: "{}")));
    }

    [Fact]
    public void A_collection_of_no_rows_is_known_by_the_code_that_names_its_columns()
    {
        var before = Plan(rows: "id,width\n").CollectionEntries([]);
        var after = Plan(rows: "id,width\n", code: [new KeyEntry(EntryKind.Assembly, "a.dll", "other")]).CollectionEntries([]);

        Assert.NotEqual(ActionKey.Of(before), ActionKey.Of(after));
    }

    [Fact]
    public void Settings_say_which_native_packages_are_in_a_key_and_for_a_processor_they_are_where_they_always_were()
    {
        // As train and measure have them: native.json of Scaling.Torch.
        NativePackage[] natives =
        [
            new("TorchSharp", "0.107.0", "t", "/t"),
            new("TorchSharp-cuda-linux", "0.107.0", null, null) { When = new JsonObject { ["device"] = "cuda" } },
            new("libtorch-cpu-linux-x64", "2.10.0", "c", "/c") { When = new JsonObject { ["device"] = "cpu" } },
        ];
        NativePackage[] fetched =
        [
            natives[0], natives[1] with { Sha512 = "g", Folder = "/g" }, new("libtorch-cuda-12.8-linux-x64", "2.10.0", "m", "/m"), new("libtorch-cuda-12.8-linux-x64-part1", "2.10.0", "p", "/p"),
        ];
        var cpu = Plan(device: "cpu", natives: natives);
        var cuda = Plan(device: "cuda", natives: natives, packages: fetched);
        var unknown = Plan(device: "cuda", natives: natives);

        // Before 'when' was, each of the two was an entry after the assemblies. The same keys, on every stage with 'device: cpu'.
        KeyEntry[] before = [new(EntryKind.Assembly, "a.dll", "1"), new(EntryKind.Native, "TorchSharp", "0.107.0 t"), new(EntryKind.Native, "libtorch-cpu-linux-x64", "2.10.0 c")];
        Assert.Equal(Keys(Plan(device: "cpu", code: before)), Keys(cpu));
        Assert.Equal(Plan(device: "cpu", code: before).Prepare!.Key, cpu.Prepare!.Key);
        Assert.Equal(Entries(before), Entries(cpu.Actions[0].Entries));
        Assert.Equal("0e59e5154a1ac406318a25ad4d3b69c3ff06e4d3232e73c3a86202b4a250c429", cpu.Actions[0].Key);
        Assert.Equal(["/t", "/c"], cpu.Actions[0].NativeFolders);

        Assert.Equal(
            ["TorchSharp 0.107.0 t", "TorchSharp-cuda-linux 0.107.0 g", "libtorch-cuda-12.8-linux-x64 2.10.0 m", "libtorch-cuda-12.8-linux-x64-part1 2.10.0 p"],
            Entries(cuda.Actions[0].Entries));
        Assert.Equal(Entries(cuda.Actions[0].Entries), Entries(cuda.Prepare!.Entries));
        Assert.Equal("cf4cea52f55a2087720938d08fa9892d71320ff965cebce08d6bfbbe0f79f16b", cuda.Actions[0].Key);
        Assert.Equal(["/t", "/g", "/m", "/p"], cuda.Actions[0].NativeFolders);
        Assert.Empty(cuda.NotFetched);

        // What nobody has seen the bytes of is in a key that no store has.
        Assert.Equal(["TorchSharp-cuda-linux"], unknown.NotFetched.Select(n => n.Id));
        Assert.Equal(["TorchSharp 0.107.0 t", "TorchSharp-cuda-linux 0.107.0"], Entries(unknown.Actions[0].Entries));

        static string[] Entries(IEnumerable<KeyEntry> entries) => [.. entries.Where(e => e.Kind == EntryKind.Native).Select(e => $"{e.Name} {e.Value}")];
    }

    [Fact]
    public void A_collection_of_no_rows_is_known_by_the_native_packages_too()
    {
        NativePackage[] natives = [new("n", "1.0", "sha", "/n")];

        Assert.Equal(
            Plan(rows: "id,width\n", code: [new KeyEntry(EntryKind.Assembly, "a.dll", "1"), new KeyEntry(EntryKind.Native, "n", "1.0 sha")]).CollectionEntries([]),
            Plan(rows: "id,width\n", natives: natives).CollectionEntries([]));
    }

    [Fact]
    public void Why_says_that_a_native_package_is_not_fetched_yet()
    {
        var plan = Plan(natives: [new NativePackage("heavy", "1.0", null, null)]);
        var explainer = new Explainer(_store, null, new Pipeline("p", "/p.yaml", 1, [plan.Stage]));

        Assert.Equal(["the native package heavy 1.0 is not fetched yet; keys hold its content, so 'run' fetches it first and knows then what is cached"], explainer.Why(plan, plan.Actions));
        Assert.Equal(explainer.Why(plan, plan.Actions), explainer.Why(plan, plan.Actions[0]));
    }

    private static string[] Keys(StagePlan plan) => [.. plan.Actions.Select(a => a.Key)];

    private StagePlan Plan(
        string stageId = "work", string pipelineName = "p", long seed = 1, string rows = "id,width\na,10\nb,20\n", string budgets = "[1,2]", string rate = "0.1",
        string corpus = "some text", string corpusPath = "corpus.txt", string scheme = "text", string extra = "same", string jobs = "folder",
        KeyEntry[]? code = null, StageDeclaration? declaration = null, int contract = Contract.Revision, string? device = null, NativePackage[]? natives = null, NativePackage[]? packages = null,
        ExecutorKind executor = ExecutorKind.Local, Resources? resources = null)
    {
        string path = _folder.Write(Path.Combine(jobs, corpusPath), corpus);
        var work = Node(stageId, declaration ?? Work, code ?? [new KeyEntry(EntryKind.Assembly, "a.dll", "1")], contract) with
        {
            Executor = executor,
            OwnExecutor = executor,
            Resources = resources ?? Resources.None,
            Settings = new JsonObject { ["budgets"] = JsonNode.Parse(budgets), ["rate"] = JsonNode.Parse(rate), ["corpus"] = "corpus.txt" },
            Files = [new ResolvedFiles("corpus", "corpus.txt", scheme, [new Workers.ReadFile(path, _store.Digest(path))])],
        };
        if (device is not null)
        {
            work.Settings["device"] = device;
        }

        work = work with { Type = work.Type with { Natives = natives ?? [] } };
        var input = Node("input", Rows, [], contract);
        var inputs = work.Declaration.Inputs;
        var files = extra.Split('|').Select((text, i) => _folder.Write($"{jobs}/extra {text}", text));
        work = work with { Inputs = [new Binding(inputs[0], input, null), .. files.Select(f => new Binding(inputs[1], null, f))] };
        var results = new Dictionary<string, StageResult> { ["input"] = new([_store.Take(Encoding.UTF8.GetBytes(rows), "rows.csv", "rows")]) };
        return new StagePlanner(new Pipeline(pipelineName, "/p.yaml", seed, [input, work]), _store).Plan(work, results, packages);
    }

    private static StageNode Node(string id, StageDeclaration declaration, KeyEntry[] code, int contract) => new()
    {
        Id = id,
        Location = new SourceLocation("p.yaml", 5, 3),
        Type = new StageType(new StageDescriptor(declaration, [], contract), "/plugin.dll", code, []),
        Settings = [],
        SettingLocations = new Dictionary<string, SourceLocation>(),
        Files = [],
        Inputs = [],
        Patience = TimeSpan.FromMinutes(1),
    };
}
