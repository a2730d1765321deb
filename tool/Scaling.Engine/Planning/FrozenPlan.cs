// A plan as a file: what will run, why, and everything that is needed to run it without the pipeline file. PLAN.md beside this file describes it.
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Scaling.Engine.Executors;
using Scaling.Engine.Keys;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;
using Scaling.Sdk;

namespace Scaling.Engine.Planning;

/// <summary>A frozen action: what it has beside what its stage's actions share.</summary>
/// <param name="Key">See KEYS.md.</param>
public sealed record FrozenAction(string Key)
{
    /// <summary>The row's name; null without fan-out.</summary>
    public string? Point { get; init; }

    /// <summary>The row's cells; null without fan-out.</summary>
    public IReadOnlyDictionary<string, string>? Row { get; init; }

    /// <summary>Its entries between <see cref="FrozenStage.Before"/> and <see cref="FrozenStage.After"/>.</summary>
    public IReadOnlyList<KeyEntry> Entries { get; init; } = [];

    /// <summary>Top-level settings that its stage's other actions have otherwise; null for none.</summary>
    public JsonObject? Settings { get; init; }
}

/// <summary>What a stage of a frozen plan is bound to.</summary>
/// <param name="Role">Name of the role.</param>
/// <param name="Stage">Id of the stage that gives it; null for a file.</param>
/// <param name="File">Absolute path; null for a stage.</param>
public sealed record FrozenInput(string Role, string? Stage, string? File);

/// <summary>A stage of a frozen plan.</summary>
public sealed record FrozenStage
{
    /// <summary>As YAML named it.</summary>
    public required string Id { get; init; }

    /// <summary>Its type.</summary>
    public required string Uses { get; init; }

    /// <summary>What would become of it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required StageOutlook Outlook { get; init; }

    /// <summary>Why, in words.</summary>
    public required IReadOnlyList<string> Reasons { get; init; }

    /// <summary>So many of its actions were in the store.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public int Cached { get; init; }

    /// <summary>What its actions will take; null where nothing tells.</summary>
    public ComputeEstimate? Estimate { get; init; }

    /// <summary>What it says of the rows that it lists, in words; null where it lists none while planning, or says nothing.</summary>
    public IReadOnlyList<string>? Summary { get; init; }

    /// <summary>Where it stood.</summary>
    public required SourceLocation Location { get; init; }

    /// <summary>Canonical settings.</summary>
    public required JsonObject Settings { get; init; }

    /// <summary>Where each given setting stood, by dotted path.</summary>
    public required IReadOnlyDictionary<string, SourceLocation> SettingLocations { get; init; }

    /// <summary>Settings that name files.</summary>
    public required IReadOnlyList<ResolvedFiles> Files { get; init; }

    /// <summary>Inputs.</summary>
    public required IReadOnlyList<FrozenInput> Inputs { get; init; }

    /// <summary>What comes back to it from the round before: role and stage; null for nothing.</summary>
    public IReadOnlyList<FrozenInput>? Feedback { get; init; }

    /// <summary>The round of its circle that the plan was made in; null for a stage in none.</summary>
    public int? Round { get; init; }

    /// <summary>Longest silence of an action, seconds.</summary>
    public required double PatienceSeconds { get; init; }

    /// <summary>Where its actions run; null for here, unless <c>run --executor</c> says otherwise. Local is written where the stage itself says so.</summary>
    public ExecutorKind? Executor { get; init; }

    /// <summary>What its actions ask of a cluster; null for nothing.</summary>
    public Resources? Resources { get; init; }

    /// <summary>Path of the plugin's main assembly, its file name alone where it is in a package of the tool's.</summary>
    public required string Assembly { get; init; }

    /// <summary>Whether the assembly is in a package of the tool's.</summary>
    public bool Packaged { get; init; }

    /// <summary>The <c>assembly</c> and <c>library</c> entries that the plan was made with.</summary>
    public required IReadOnlyList<KeyEntry> Code { get; init; }

    /// <summary>The action that its rows share, executed where it is missing; null for none, or where nothing is to run.</summary>
    public ActionSpec? Prepare { get; init; }

    /// <summary>What its actions share, without a key; null where nothing is to run, or nobody knows yet.</summary>
    public ActionSpec? Shared { get; init; }

    /// <summary>First entries of every action's key.</summary>
    public IReadOnlyList<KeyEntry> Before { get; init; } = [];

    /// <summary>Last entries of every action's key.</summary>
    public IReadOnlyList<KeyEntry> After { get; init; } = [];

    /// <summary>The actions to run, in the order of their points.</summary>
    public IReadOnlyList<FrozenAction> Actions { get; init; } = [];

    /// <summary>One of its actions as a worker takes it.</summary>
    /// <param name="action">One of <see cref="Actions"/>.</param>
    /// <exception cref="StageFailedException">SCAL3020: it has other entries than its key was made of.</exception>
    public ActionSpec Spec(FrozenAction action)
    {
        var settings = Shared!.Settings;
        if (action.Settings is { } own)
        {
            settings = settings.DeepClone().AsObject();
            foreach (var (name, value) in own)
            {
                settings[name] = value?.DeepClone();
            }
        }

        KeyEntry[] entries = [.. Before, .. action.Entries, .. After];
        return ActionKey.Of(entries) == action.Key
            ? Shared with { Key = action.Key, Entries = entries, Point = action.Point, Row = action.Row, Settings = settings }
            : throw FrozenPlan.Edited($"the action {action.Point ?? Id} of '{Id}' has other entries than its key {action.Key[..Math.Min(12, action.Key.Length)]}… was made of");
    }
}

/// <summary>A frozen plan.</summary>
/// <param name="Schema">Always <see cref="CurrentSchema"/>.</param>
/// <param name="Tool">Version of the tool that planned.</param>
/// <param name="Pipeline">The pipeline's name.</param>
/// <param name="Path">Absolute path of its file.</param>
/// <param name="Seed">The pipeline's.</param>
/// <param name="Stages">Each after those that it needs.</param>
public sealed record FrozenPlan(string Schema, string Tool, string Pipeline, string Path, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] long Seed, IReadOnlyList<FrozenStage> Stages)
{
    /// <summary>Name and version of the format.</summary>
    public const string CurrentSchema = "scaling.plan/1";

    private const int LargestMebibytes = 512;
    private const double LongestPatience = 1e9; // Thirty years.

    /// <summary>What <c>--set</c> said, as typed. Default: nothing.</summary>
    public IReadOnlyList<string> Overrides { get; init; } = [];

    /// <summary>Freezes what was looked ahead.</summary>
    /// <param name="pipeline">The pipeline.</param>
    /// <param name="ahead">Every stage of it.</param>
    /// <param name="estimates">What the actions of a stage will take.</param>
    /// <param name="tool">Version of the tool.</param>
    public static FrozenPlan Of(Pipeline pipeline, IReadOnlyList<StageAhead> ahead, Func<StageAhead, ComputeEstimate?> estimates, string tool) =>
        new(CurrentSchema, tool, pipeline.Name, pipeline.Path, pipeline.Seed, [.. ahead.Select(stage => Freeze(stage, estimates(stage)))]) { Overrides = pipeline.Overrides };

    /// <summary>Freezes actions of one stage, without what was bound and read to plan them: their keys and inputs tell that, and a node that executes them need not have it.</summary>
    /// <param name="pipeline">The pipeline.</param>
    /// <param name="stage">The stage.</param>
    /// <param name="actions">At least one, as a worker takes them.</param>
    /// <param name="tool">Version of the tool.</param>
    public static FrozenPlan OfActions(Pipeline pipeline, StageNode stage, IReadOnlyList<ActionSpec> actions, string tool)
    {
        var frozen = Freeze(new StageAhead(stage with { Files = [], Inputs = [], Feedback = [], SettingLocations = new Dictionary<string, SourceLocation>() }, StageOutlook.WillRun, new StagePlan(stage, null, actions), actions, []), null);
        return new FrozenPlan(CurrentSchema, tool, pipeline.Name, pipeline.Path, pipeline.Seed, [frozen with { Assembly = frozen.Packaged ? frozen.Assembly : actions[0].Assembly }]) { Overrides = pipeline.Overrides };
    }

    /// <summary>Reads a plan.</summary>
    /// <param name="path">Of the file.</param>
    /// <exception cref="StageFailedException">SCAL3020: it is no plan.</exception>
    public static FrozenPlan Read(string path)
    {
        try
        {
            byte[] text = new FileInfo(path).Length > (long)LargestMebibytes << 20 ? throw Refused($"it is larger than {LargestMebibytes} MiB") : File.ReadAllBytes(path);
            return JsonSerializer.Deserialize(text, EngineJson.Default.FrozenPlan) is not { } plan ? throw Refused("it holds nothing")
                : plan.Schema != CurrentSchema ? throw Refused($"its schema is '{PipelineDiagnostics.Shown(plan.Schema ?? "")}', and this tool reads {CurrentSchema}")
                : !plan.IsWhole ? throw Refused("parts of it are missing")
                : !PipelineReader.IsName(plan.Pipeline) || plan.Stages.FirstOrDefault(s => !PipelineReader.IsStageId(s.Id)) is not null ? throw Refused("its pipeline or a stage has a name that none can have")
                : text.AsSpan().LastIndexOf(DigestMark) is var end and > 0 && text.AsSpan(end).SequenceEqual(Encoding.ASCII.GetBytes(Digest(text.AsSpan(0, end)))) ? plan
                : throw Refused("it was edited, as its last line tells");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // The other: an escape that is no character.
        {
            var place = e as JsonException;
            throw Refused(e.Message.Split(" Path: ")[0], (int)(place?.LineNumber ?? 0) + 1, (int)(place?.BytePositionInLine ?? 0) + 1);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Refused($"there is no file {System.IO.Path.GetFullPath(path)}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Refused(e.Message);
        }

        StageFailedException Refused(string how, int line = 1, int column = 1) => new([Edited(how).Diagnostics[0] with { Location = new SourceLocation(path, line, column) }]);
    }

    /// <summary>
    /// The last member, over all bytes before it: settings, rows and inputs stand beside the entries that a key is made of, and what a worker would do with edited ones would be published under the old key.
    /// </summary>
    private static string Digest(ReadOnlySpan<byte> before) => $",\n  \"digest\": \"{Convert.ToHexStringLower(SHA256.HashData(before))}\"\n}}\n";

    private static ReadOnlySpan<byte> DigestMark => ",\n  \"digest\": "u8;

    /// <summary>Writes the plan so that two of them can be compared line by line: a member a line, and in lists an element.</summary>
    /// <param name="to">Takes the text.</param>
    public void Write(TextWriter to)
    {
        using var body = new StringWriter { NewLine = "\n" };
        WriteBody(body);
        string text = body.ToString();
        to.Write(text);
        to.Write(Digest(Encoding.UTF8.GetBytes(text)));
    }

    private void WriteBody(StringWriter to)
    {
        var root = JsonSerializer.SerializeToNode(this with { Stages = [] }, EngineJson.Default.FrozenPlan)!.AsObject();
        to.Write("{\n");
        foreach (var (name, value) in root.Where(m => m.Key != "stages"))
        {
            to.Write($"  \"{name}\": {Text(value)},\n");
        }

        to.Write("  \"stages\": [");
        for (int i = 0; i < Stages.Count; i++)
        {
            to.Write(i == 0 ? "\n    {" : ",\n    {");
            string separator = "\n";
            foreach (var (name, value) in JsonSerializer.SerializeToNode(Stages[i] with { Actions = [] }, EngineJson.Default.FrozenStage)!.AsObject().Where(m => m.Key != "actions"))
            {
                to.Write($"{separator}      \"{name}\": ");
                separator = ",\n";
                if (value is JsonArray { Count: > 0 } list)
                {
                    Write(to, list.Select(Text));
                }
                else
                {
                    to.Write(Text(value));
                }
            }

            to.Write($"{separator}      \"actions\": ");
            Write(to, Stages[i].Actions.Select(action => Text(JsonSerializer.SerializeToNode(action, EngineJson.Default.FrozenAction))));
            to.Write("\n    }");
        }

        to.Write("\n  ]");
    }

    internal static StageFailedException Edited(string how) =>
        new("SCAL3020", $"This is no plan that can be run: {PipelineDiagnostics.OnOneLine(how)}.", "Make it again: dotnet scaling plan PIPELINE --json > plan.json");

    private bool IsWhole => Stages is not null && Pipeline is not null && Path is not null && Overrides is not null && Overrides.All(o => o is not null)
        && Stages.All(s => s is { Id: not null, Uses: not null, Settings: not null, Files: not null, Inputs: not null, Code: not null, Assembly: not null, Location.File: not null, SettingLocations: not null, Reasons: not null }
            && s is { Before: not null, After: not null, Actions: not null, PatienceSeconds: >= 0 and <= LongestPatience } && (s.Shared is { } shared ? IsWholeSpec(shared) : s.Actions.Count == 0)
            && (s.Prepare is null || IsWholeSpec(s.Prepare)) && s.Actions.All(a => a is { Key.Length: 64, Entries: not null } && AllThere(a.Entries) && (a.Row is null || a.Row.Values.All(cell => cell is not null)))
            && AllThere(s.Before) && AllThere(s.After) && AllThere(s.Code) && AllThere(s.Reasons) && s.SettingLocations.Values.All(l => l is { File: not null })
            && (s.Executor is null || Enum.IsDefined(s.Executor.Value)) && (s.Resources is null || s.Resources.IsWhole) && s.Inputs.Concat(s.Feedback ?? []).All(i => i is { Role: not null }) && s.Feedback?.Any(f => f.Stage is null) != true && s.Files.All(f => f is { Setting: not null, Text: not null, Scheme: not null, Files: not null } && f.Files.All(file => file is { Path: not null, Sha256: not null })));

    private static bool IsWholeSpec(ActionSpec spec) =>
        spec is { Entries: not null, Assembly: not null, Stage: not null, Settings: not null, Inputs: not null, Reads: not null, Prepared: not null, NativeFolders: not null } && AllThere(spec.Entries) && AllThere(spec.NativeFolders)
        && spec.Inputs.Concat(spec.Prepared).All(i => i is { Role: not null, Name: not null, Sha256: not null }) && spec.Reads.All(r => r is { Path: not null, Sha256: not null });

    private static bool AllThere<T>(IReadOnlyList<T> items)
        where T : class => items.All(i => i is not null);

    private static void Write(StringWriter to, IEnumerable<string> elements)
    {
        string separator = "[\n        ";
        foreach (string element in elements)
        {
            to.Write(separator + element);
            separator = ",\n        ";
        }

        to.Write(separator[0] == '[' ? "[]" : "\n      ]");
    }

    private static string Text(JsonNode? value) => value?.ToJsonString(Compact) ?? "null";

    private static readonly JsonSerializerOptions Compact = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static FrozenStage Freeze(StageAhead ahead, ComputeEstimate? estimate)
    {
        var stage = ahead.Stage;
        var missing = ahead.Missing;
        var frozen = new FrozenStage
        {
            Id = stage.Id,
            Uses = stage.Declaration.Type,
            Outlook = ahead.Outlook,
            Reasons = ahead.Reasons,
            Cached = (ahead.Plan?.Actions.Count ?? 0) - missing.Count,
            Estimate = estimate,
            Location = stage.Location,
            Settings = stage.Settings,
            SettingLocations = stage.SettingLocations,
            Files = stage.Files,
            Inputs = [.. stage.Inputs.Select(i => new FrozenInput(i.Role.Name, i.Source?.Id, i.File))],
            Feedback = stage.Feedback.Count == 0 ? null : [.. stage.Feedback.Select(f => new FrozenInput(f.Role.Name, f.Stage, null))],
            Round = ahead.Round?.Number,
            PatienceSeconds = stage.Patience.TotalSeconds,
            Executor = stage.Executor == ExecutorKind.Local && stage.OwnExecutor != ExecutorKind.Local ? null : stage.Executor,
            Resources = stage.Resources == Resources.None ? null : stage.Resources,
            Assembly = stage.Type.Assembly,
            Packaged = stage.Type.Package is not null,
            Code = stage.Type.CodeEntries,
            Prepare = missing.Count > 0 ? ahead.Plan!.Prepare : null,
        };
        if (missing.Count == 0)
        {
            return frozen;
        }

        int before = Common(missing, int.MaxValue, (entries, i) => entries[i]);
        int after = Common(missing, missing.Min(m => m.Entries.Count) - before, (entries, i) => entries[^(i + 1)]);
        var first = missing[0];
        return frozen with
        {
            Shared = first with { Key = "", Entries = [], Point = null, Row = null },
            Before = [.. first.Entries.Take(before)],
            After = [.. first.Entries.Skip(first.Entries.Count - after)],
            Actions = [.. missing.Select(m => new FrozenAction(m.Key)
            {
                Point = m.Point, Row = m.Row, Entries = [.. m.Entries.Skip(before).Take(m.Entries.Count - before - after)], Settings = Own(m.Settings, first.Settings),
            })],
        };
    }

    /// <summary>How many entries all actions have in common from one end.</summary>
    private static int Common(IReadOnlyList<ActionSpec> actions, int most, Func<IReadOnlyList<KeyEntry>, int, KeyEntry> at)
    {
        int common = 0;
        most = Math.Min(most, actions.Min(a => a.Entries.Count));
        while (common < most && actions.All(a => at(a.Entries, common) == at(actions[0].Entries, common)))
        {
            common++;
        }

        return common;
    }

    private static JsonObject? Own(JsonObject settings, JsonObject shared)
    {
        if (ReferenceEquals(settings, shared))
        {
            return null;
        }

        var own = new JsonObject();
        foreach (var (name, value) in settings.Where(s => !JsonNode.DeepEquals(s.Value, shared[s.Key])))
        {
            own[name] = value?.DeepClone();
        }

        return own.Count == 0 ? null : own;
    }
}
