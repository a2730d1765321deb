// All actions of a sample in a folder of their own, run in this process, and what was found in the folder afterwards.
using System.IO.Enumeration;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Scaling.Sdk;

namespace Scaling.TestKit.Conformance;

/// <summary>One action of a trial.</summary>
/// <param name="Context">What the stage was handed.</param>
internal sealed record TrialAction(ActionContext Context)
{
    /// <summary>What lay in the output folder when the stage published it (batches only), name to digest; null where it did not.</summary>
    public SortedDictionary<string, string>? Published { get; set; }

    public string Name => Context.Point is { Length: > 0 } point ? $"row {point}" : "its action";

    /// <summary>What lies in the output folder, name to digest.</summary>
    public SortedDictionary<string, string> Written() => Trial.Files(Context.OutputFolder);
}

/// <summary>A sample laid out in a new temporary folder.</summary>
internal sealed class Trial : IDisposable
{
    private readonly IStage _stage;
    private readonly StageSample _sample;
    private readonly TemporaryFolder _folder = new();
    private readonly TimeProvider _time;
    private readonly CancellationToken _stop;
    private readonly SortedDictionary<string, string> _given;

    /// <summary>Lays the sample out; nothing runs yet.</summary>
    /// <param name="stage">Freshly made.</param>
    /// <param name="sample">What it works on.</param>
    /// <param name="rowsAtMost">Of a fanned-out stage.</param>
    /// <param name="time">The clock that actions see.</param>
    /// <param name="stop">What actions see of a wish to stop.</param>
    /// <exception cref="InvalidSampleException">The sample is none of this stage.</exception>
    public Trial(IStage stage, StageSample sample, int rowsAtMost = int.MaxValue, TimeProvider? time = null, CancellationToken stop = default)
    {
        (_stage, _sample, _time, _stop) = (stage, sample, time ?? TimeProvider.System, stop);
        Declaration = stage.Declaration;
        foreach (var file in sample.Files)
        {
            Lay(file, _folder["files"]);
        }

        var inputs = sample.Inputs.ToDictionary(
            role => role.Key,
            role => (IReadOnlyList<InputFile>)[.. role.Value.Select((file, i) => new InputFile(Lay(file, _folder[$"in/{role.Key}/{i}"]), file.Point))]);
        Settings = WithFiles(SettingsDefaults.Complete(sample.Settings, stage.SettingsSchema));
        Actions = [.. Rows(inputs).Take(rowsAtMost).Select((row, i) => Action(row, i, inputs))];
        _given = Given();
    }

    public StageDeclaration Declaration { get; }

    public JsonObject Settings { get; }

    public IReadOnlyList<TrialAction> Actions { get; }

    public List<Diagnostic> Warnings { get; } = [];

    public IReadOnlyList<string> DeclaredOutputs => [.. Declaration.Outputs.Select(o => o.Name)];

    /// <summary>Runs the prepare action, where one is declared, and all actions on the caller's thread.</summary>
    public void Run()
    {
        if (Declaration.Prepare is { } prepare)
        {
            var reads = new JsonObject(Settings.Where(s => prepare.Reads.Contains(s.Key)).Select(s => KeyValuePair.Create(s.Key, s.Value?.DeepClone())));
            _stage.Prepare(Context(reads, null, null, new Dictionary<string, IReadOnlyList<InputFile>>(), _folder["prepared"], _folder["scratch/prepare"], prepare.Outputs, () => { }));
        }

        if (Declaration.FanOut?.Mode == FanOutMode.Batch)
        {
            _stage.RunBatch([.. Actions.Select(a => a.Context)]);
            return;
        }

        foreach (var action in Actions)
        {
            _stage.Run(action.Context);
        }
    }

    /// <summary>What the stage wrote where it may not, or did to what it may only read; each a sentence.</summary>
    public IEnumerable<string> Trespasses()
    {
        var now = Given();
        foreach (string gone in _given.Keys.Except(now.Keys))
        {
            yield return $"The input '{gone}' is gone. An input is only read; the next action wants it too.";
        }

        foreach (string changed in now.Keys.Intersect(_given.Keys).Where(name => now[name] != _given[name]))
        {
            yield return $"The input '{changed}' was changed. An input is only read; write a copy into WorkFolder.";
        }

        foreach (string strange in now.Keys.Except(_given.Keys))
        {
            yield return $"'{strange}' was written outside of the action's folders. Write outputs with context.Output, scratch into context.WorkFolder.";
        }
    }

    /// <summary>Which files lie where, name to digest of the content.</summary>
    public static SortedDictionary<string, string> Files(string folder)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (string path in Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories) : [])
        {
            files[Path.GetRelativePath(folder, path)] = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));
        }

        return files;
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Everything in the trial's folder but what actions may write.</summary>
    private SortedDictionary<string, string> Given()
    {
        string[] own = [.. Actions.SelectMany(a => new[] { a.Context.OutputFolder, a.Context.WorkFolder }), _folder["prepared"], _folder["scratch/prepare"], _folder["cache"]];
        var files = Files(_folder.Path);
        foreach (string name in files.Keys.Where(name => Array.Exists(own, folder => _folder[name].StartsWith(folder + "/", StringComparison.Ordinal))).ToArray())
        {
            files.Remove(name);
        }

        return files;
    }

    private static string Lay(SampleFile file, string folder)
    {
        string path = Path.Combine(folder, file.Name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, file.Content);
        return path;
    }

    private TrialAction Action(ActionRow row, int index, Dictionary<string, IReadOnlyList<InputFile>> inputs)
    {
        var others = inputs.Where(i => i.Key != Declaration.FanOut?.Role).ToDictionary();
        TrialAction? action = null;
        action = new TrialAction(Context(row.Settings, row.Cells, row.Point, others, _folder[$"out/{index}"], _folder[$"scratch/{index}"], DeclaredOutputs, () => action!.Published = action.Written()));
        return action;
    }

    private ActionContext Context(
        JsonObject settings, IReadOnlyDictionary<string, string>? row, string? point, IReadOnlyDictionary<string, IReadOnlyList<InputFile>> inputs, string output, string work,
        IReadOnlyList<string> declared, Action publish) => new()
        {
            Settings = settings,
            Inputs = inputs,
            Row = row,
            Point = point,
            PipelineSeed = Declaration.UsesPipelineSeed ? _sample.PipelineSeed : 0,
            OutputFolder = Directory.CreateDirectory(output).FullName,
            DeclaredOutputs = declared,
            WorkFolder = Directory.CreateDirectory(work).FullName,
            PreparedFolder = Declaration.Prepare is null ? null : _folder["prepared"],
            CacheFolder = Directory.CreateDirectory(_folder["cache"]).FullName,
            NativeFolders = _sample.NativeFolders,
            Progress = _ => { },
            Report = Warnings.Add,
            Publish = publish,
            Stop = _stop,
            Time = _time,
        };

    /// <summary>The rows of the table that the stage fans out over, as the engine cuts them; one without cells where it does not.</summary>
    private IEnumerable<ActionRow> Rows(Dictionary<string, IReadOnlyList<InputFile>> inputs)
    {
        if (Declaration.FanOut is not { } fanOut)
        {
            return [new ActionRow(Settings, null, null)];
        }

        if (!inputs.TryGetValue(fanOut.Role, out var files) || files is not [var only])
        {
            throw new InvalidSampleException($"The stage fans out over '{fanOut.Role}': give the sample one table, Inputs = {{ [\"{fanOut.Role}\"] = [new SampleFile(\"{fanOut.Role}.csv\", \"…\")] }}.");
        }

        var table = Table.Read(only.Path);
        if (fanOut.Reads.FirstOrDefault(column => !table.Has(column)) is { } missing)
        {
            throw new InvalidSampleException($"The stage reads the column '{missing}' of '{fanOut.Role}', which the sample's table has not. It has: {string.Join(", ", table.Columns)}.");
        }

        return Across(fanOut.Across).SelectMany(settings => table.Each().Select(row =>
        {
            var cells = fanOut.Reads.ToDictionary(c => c, row.Text);
            foreach (var (column, usual) in fanOut.Optional)
            {
                cells[column] = table.Has(column) ? row.Text(column) : usual;
            }

            return new ActionRow(settings, cells, string.Join('.', fanOut.Point.Select(c => cells[c])));
        }));
    }

    private IEnumerable<JsonObject> Across(string? setting)
    {
        if (setting is null || Settings[setting] is not JsonArray list)
        {
            return [Settings];
        }

        return list.Select(element =>
        {
            var one = (JsonObject)Settings.DeepClone();
            one[setting] = new JsonArray(element?.DeepClone());
            return one;
        });
    }

    /// <summary>Settings that name files, also within records, with the sample's files that they name.</summary>
    private JsonObject WithFiles(JsonObject settings, JsonObject? schema = null)
    {
        foreach (var (name, property) in (schema ?? _stage.SettingsSchema)["properties"]?.AsObject() ?? [])
        {
            if (SettingsWalk.NamesFiles(property!) && settings[name] is JsonValue text)
            {
                settings[name] = FilesOf(text.GetValue<string>());
            }
            else if (settings[name] is JsonObject nested && property is JsonObject record)
            {
                settings[name] = WithFiles((JsonObject)nested.DeepClone(), record);
            }
        }

        return settings;
    }

    private JsonObject FilesOf(string text)
    {
        string scheme = text.Contains(':', StringComparison.Ordinal) ? text[..text.IndexOf(':', StringComparison.Ordinal)] : "";
        string pattern = scheme.Length == 0 ? text : text[(scheme.Length + 1)..];
        string[] paths = [.. _sample.Files.Where(f => FileSystemName.MatchesSimpleExpression(pattern, f.Name)).Select(f => Path.Combine(_folder["files"], f.Name)).Order(StringComparer.Ordinal)];
        return new JsonObject
        {
            ["text"] = text,
            ["scheme"] = paths.Length == 0 ? text : scheme, // What names no file is a name that the stage declares.
            ["paths"] = new JsonArray([.. paths.Select(p => (JsonNode)p)]),
        };
    }

    private sealed record ActionRow(JsonObject Settings, IReadOnlyDictionary<string, string>? Cells, string? Point);
}

/// <summary>A sample that does not fit the stage; the message says what to give.</summary>
internal sealed class InvalidSampleException(string message) : Exception(message);
