// What an action is handed: settings, row, inputs, places to write, and ways to speak.
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Scaling.Sdk;

/// <summary>An input file of an action.</summary>
/// <param name="Path">Absolute; read only.</param>
/// <param name="Point">The row it belongs to, for files that a fanned-out stage wrote one a row; else null.</param>
public sealed record InputFile(string Path, string? Point = null);

/// <summary>How far an action is.</summary>
/// <param name="Done">Units done.</param>
/// <param name="Total">Units in all; 0 where unknown.</param>
/// <param name="Unit">For example <c>tokens</c>.</param>
public sealed record StageProgress(double Done, double Total, string Unit)
{
    /// <summary>A few words of news, for example <c>2.31 nats a token</c>; null for none.</summary>
    public string? News { get; init; }
}

/// <summary>The facts of one action, as the worker gives them to a stage. A stage reads them through <see cref="StageContext{TSettings}"/>.</summary>
public sealed class ActionContext
{
    /// <summary>Canonical settings: every default filled in, snake case.</summary>
    public required JsonObject Settings { get; init; }

    /// <summary>Input files by role.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<InputFile>> Inputs { get; init; } = new Dictionary<string, IReadOnlyList<InputFile>>();

    /// <summary>The row's cells by column; null for a stage without fan-out.</summary>
    public IReadOnlyDictionary<string, string>? Row { get; init; }

    /// <summary>The row's name; null for a stage without fan-out.</summary>
    public string? Point { get; init; }

    /// <summary>The pipeline's seed; 0 for a stage that does not declare to use it.</summary>
    public long PipelineSeed { get; init; }

    /// <summary>Where outputs are written, empty at the start.</summary>
    public required string OutputFolder { get; init; }

    /// <summary>The names that the action may write: the stage's outputs, or those of its prepare action. Null where nobody says, as in a test of a part of a stage; then any name below the folder will do.</summary>
    public IReadOnlyList<string>? DeclaredOutputs { get; init; }

    /// <summary>Scratch that survives a kill, for checkpoints; removed once the action is published.</summary>
    public required string WorkFolder { get; init; }

    /// <summary>What tells the action from all others: its key. Default: empty, where nobody keeps checkpoints of several.</summary>
    public string Key { get; init; } = "";

    /// <summary>Takes the path of a damaged checkpoint and removes it from there. Default: deletes it.</summary>
    public Action<string> SetAside { get; init; } = File.Delete;

    /// <summary>Where the prepare action's files lie; null where none is declared.</summary>
    public string? PreparedFolder { get; init; }

    /// <summary>For things of this machine that many actions share and that can be made again, such as fixed-up native libraries.</summary>
    public required string CacheFolder { get; init; }

    /// <summary>Folders of native packages that the plugin came with.</summary>
    public IReadOnlyList<string> NativeFolders { get; init; } = [];

    /// <summary>Takes progress; never null.</summary>
    public required Action<StageProgress> Progress { get; init; }

    /// <summary>Takes warnings; never null.</summary>
    public required Action<Diagnostic> Report { get; init; }

    /// <summary>Publishes the action's outputs (batches only).</summary>
    public required Action Publish { get; init; }

    /// <summary>Cancelled when the user asks to stop. A long action then writes its checkpoint and throws.</summary>
    public CancellationToken Stop { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>What one action of a stage sees.</summary>
/// <typeparam name="TSettings">The stage's settings.</typeparam>
public sealed class StageContext<TSettings>
    where TSettings : class
{
    private readonly ActionContext _action;
    private Table? _row;

    /// <summary>Binds the settings.</summary>
    /// <param name="action">As the worker, or a test, made it.</param>
    /// <exception cref="JsonException">The settings do not fit <typeparamref name="TSettings"/>.</exception>
    public StageContext(ActionContext action)
    {
        _action = action;
        Settings = action.Settings.Deserialize<TSettings>(SettingsSchema.Json)
            ?? throw new JsonException($"settings of {typeof(TSettings).Name} are null");
    }

    /// <summary>The settings, defaults filled in.</summary>
    public TSettings Settings { get; }

    /// <summary>The pipeline's <c>seed:</c>; 0 unless the stage declares <see cref="StageDeclaration.UsesPipelineSeed"/>.</summary>
    public long PipelineSeed => _action.PipelineSeed;

    /// <summary>Name of the row, for example <c>3f9a1c07.1.20</c>; empty without fan-out.</summary>
    public string Point => _action.Point ?? "";

    /// <summary>The row's cells that the stage declared to read.</summary>
    /// <exception cref="InvalidOperationException">The stage has no fan-out.</exception>
    public Row Row
    {
        get
        {
            var cells = _action.Row ?? throw new InvalidOperationException("a stage without fan-out has no row");
            _row ??= new Table([.. cells.Keys], [[.. cells.Values]]);
            return _row[0];
        }
    }

    /// <summary>The action's key, 64 hex digits, by which <c>why</c>, <c>logs</c> and the store know it; empty in a test of a stage alone.</summary>
    public string Key => _action.Key;

    /// <summary>Files of a role, in the order of <c>needs</c>; empty where an optional role is not bound.</summary>
    /// <param name="role">As declared.</param>
    public IReadOnlyList<InputFile> Inputs(string role) => _action.Inputs.TryGetValue(role, out var files) ? files : [];

    /// <summary>The one file of a role.</summary>
    /// <param name="role">As declared, cardinality one.</param>
    /// <exception cref="InvalidOperationException">The role holds none or several files.</exception>
    public string Input(string role) =>
        Inputs(role) is [var only] ? only.Path : throw new InvalidOperationException($"role '{role}' holds {Inputs(role).Count} files");

    /// <summary>The table of a role of cardinality one.</summary>
    /// <param name="role">As declared.</param>
    public Table InputTable(string role) => Table.Read(Input(role));

    /// <summary>Path at which to write a declared output; its folder is there.</summary>
    /// <param name="name">As declared.</param>
    /// <exception cref="StageFailedException">SCAL6012: the stage declares no such output, or the name leaves its folder.</exception>
    public string Output(string name)
    {
        if (_action.DeclaredOutputs is { } declared ? !declared.Contains(name) : !StageDeclaration.IsBelow(name))
        {
            throw new StageFailedException(
                "SCAL6012", $"The stage asks for an output '{name}' that it does not declare. It declares: {string.Join(", ", _action.DeclaredOutputs ?? [])}.",
                NearestSpelling.Hint(name, _action.DeclaredOutputs ?? []) ?? "This is a defect of the stage: add the output to its declaration, or write scratch into WorkFolder.");
        }

        string path = Path.Combine(_action.OutputFolder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    /// <summary>Path of a file that the prepare action wrote.</summary>
    /// <param name="name">As declared in <see cref="PrepareAction.Outputs"/>.</param>
    public string Prepared(string name) =>
        Path.Combine(_action.PreparedFolder ?? throw new InvalidOperationException("the stage declares no prepare action"), name);

    /// <summary>What a long action saves to go on from after Ctrl-C or a kill: see <see cref="Sdk.Checkpoints"/>.</summary>
    public Checkpoints Checkpoints => new(_action.WorkFolder, _action.Key, _action.SetAside);

    /// <summary>Scratch that survives a kill of the process. What a stage goes on from belongs into <see cref="Checkpoints"/>: of other files here nobody knows whether they are whole.</summary>
    public string WorkFolder => _action.WorkFolder;

    /// <summary>For things of this machine that many actions share and that can be made again.</summary>
    public string CacheFolder => _action.CacheFolder;

    /// <summary>Folders of native packages that the plugin came with, as <c>native.json</c> beside it lists them.</summary>
    public IReadOnlyList<string> NativeFolders => _action.NativeFolders;

    /// <summary>Cancelled when the user asks to stop.</summary>
    public CancellationToken Stop => _action.Stop;

    /// <summary>The clock; outputs that are not volatile must not depend on it.</summary>
    public TimeProvider Time => _action.Time;

    /// <summary>Tells how far the action is; call it at least every few seconds of work. Cheap.</summary>
    /// <param name="done">Units done.</param>
    /// <param name="total">Units in all; 0 where unknown.</param>
    /// <param name="unit">For example <c>tokens</c>.</param>
    /// <param name="news">A few words, for example the loss so far.</param>
    public void Progress(double done, double total, string unit, string? news = null) =>
        _action.Progress(new StageProgress(done, total, unit) { News = news });

    /// <summary>Tells the user something that does not stop the action.</summary>
    /// <param name="code">SCAL7xxx or SCAL8xxx; a stage of your own uses its own prefix.</param>
    /// <param name="message">A sentence.</param>
    /// <param name="hint">What to do about it.</param>
    public void Warn(string code, string message, string? hint = null) =>
        _action.Report(new Diagnostic(code, message) { Severity = Severity.Warning, Hint = hint });

    /// <summary>In a batch: this row's outputs are written; make them an entry of the store now.</summary>
    public void Publish() => _action.Publish();
}
