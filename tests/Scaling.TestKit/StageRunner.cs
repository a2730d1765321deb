// Runs a stage in the test's own process, as a worker would, on files of the test.
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Scaling.Sdk;

namespace Scaling.TestKit;

/// <summary>What a stage wrote and said.</summary>
/// <param name="Folder">Where its outputs lie.</param>
/// <param name="Warnings">What it reported.</param>
public sealed record StageResult(string Folder, IReadOnlyList<Diagnostic> Warnings)
{
    /// <summary>An output as a table.</summary>
    /// <param name="name">File name.</param>
    public Table Table(string name) => Sdk.Table.Read(Path.Combine(Folder, name));

    /// <summary>An output as text.</summary>
    /// <param name="name">File name.</param>
    public string Text(string name) => File.ReadAllText(Path.Combine(Folder, name));
}

/// <summary>
/// Runs single actions of a stage without the engine. Actions share one work folder, <c>work</c>, so that a test can stop one and look at its checkpoint, and one cache folder, <c>cache</c>.
/// </summary>
/// <param name="stage">Freshly made.</param>
/// <param name="folder">Everything is written below it.</param>
public sealed class StageRunner(IStage stage, TemporaryFolder folder)
{
    private int _actions;

    private string[] Outputs => [.. stage.Declaration.Outputs.Select(o => o.Name)];

    /// <summary>Folders of native packages, for stages that load any. Default: none.</summary>
    public IReadOnlyList<string> NativeFolders { get; init; } = [];

    /// <summary>Runs the prepare action, if declared, and one action.</summary>
    /// <param name="settings">As YAML would give them, quantities as numbers; defaults are filled in. FileSet settings as <c>{"text","scheme","paths"}</c>.</param>
    /// <param name="inputs">Files by role.</param>
    /// <param name="row">The row's cells, for a fanned-out stage; optional ones have their usual value.</param>
    /// <param name="stop">Asks the stage to stop.</param>
    /// <returns>What it wrote, and what it warned of.</returns>
    /// <exception cref="StageFailedException">The stage refused its settings or inputs, or wrote what it does not declare.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public StageResult Run(
        JsonObject settings,
        IReadOnlyDictionary<string, string>? inputs = null,
        IReadOnlyDictionary<string, string>? row = null,
        CancellationToken stop = default)
    {
        var warnings = new List<Diagnostic>();
        string prepared = folder["prepared"];
        if (stage.Declaration.Prepare is not null && !Directory.Exists(prepared))
        {
            stage.Prepare(Context(settings, inputs, null, Directory.CreateDirectory(prepared).FullName, stage.Declaration.Prepare.Outputs, warnings, stop));
        }

        string output = Directory.CreateDirectory(folder[$"output {++_actions}"]).FullName;
        var context = Context(settings, inputs, row, output, Outputs, warnings, stop);
        if (stage.Declaration.FanOut?.Mode == FanOutMode.Batch)
        {
            stage.RunBatch([context]);
        }
        else
        {
            stage.Run(context);
        }

        return new StageResult(output, warnings);
    }

    /// <summary>Asks whether this machine has what the settings need, as the engine does before it fetches native packages.</summary>
    /// <param name="settings">As for <see cref="Run"/>; those that name files as the user wrote them.</param>
    /// <returns>What it lacks; null for nothing.</returns>
    public StageFailedException? CheckMachine(JsonObject settings)
    {
        try
        {
            stage.CheckMachine(new ActionContext
            {
                Settings = SettingsDefaults.Complete(settings, stage.SettingsSchema),
                OutputFolder = folder["nowhere"],
                WorkFolder = folder["nowhere"],
                CacheFolder = folder["nowhere"],
                Progress = _ => { },
                Report = _ => { },
                Publish = () => { },
            });
            return null;
        }
        catch (StageFailedException e)
        {
            return e;
        }
    }

    /// <summary>Runs a batch, as the worker does with the rows that the store lacks.</summary>
    /// <param name="settings">As for <see cref="Run"/>.</param>
    /// <param name="rows">The rows' cells; optional ones have their usual value.</param>
    /// <returns>One result a row, with the warnings of all.</returns>
    public IReadOnlyList<StageResult> RunBatch(JsonObject settings, IReadOnlyList<IReadOnlyDictionary<string, string>> rows)
    {
        var warnings = new List<Diagnostic>();
        string[] outputs = [.. rows.Select(_ => Directory.CreateDirectory(folder[$"output {++_actions}"]).FullName)];
        stage.RunBatch([.. rows.Select((row, i) => Context(settings, null, row, outputs[i], Outputs, warnings, default))]);
        return [.. outputs.Select(output => new StageResult(output, warnings))];
    }

    /// <summary>As keys do, so that what one action saved no other goes on from.</summary>
    private static string KeyOf(JsonObject settings, IReadOnlyDictionary<string, string>? inputs, IReadOnlyDictionary<string, string>? row) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', [
        settings.ToJsonString(),
        .. (inputs ?? new Dictionary<string, string>()).OrderBy(i => i.Key, StringComparer.Ordinal).Select(i => $"{i.Key}={Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(i.Value)))}"),
        .. (row ?? new Dictionary<string, string>()).OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => $"{c.Key}={c.Value}")]))));

    private ActionContext Context(
        JsonObject settings, IReadOnlyDictionary<string, string>? inputs, IReadOnlyDictionary<string, string>? row, string output,
        IReadOnlyList<string> declared, List<Diagnostic> warnings, CancellationToken stop) => new()
        {
            Settings = SettingsDefaults.Complete(settings, stage.SettingsSchema),
            Inputs = (inputs ?? new Dictionary<string, string>()).ToDictionary(i => i.Key, i => (IReadOnlyList<InputFile>)[new InputFile(i.Value)]),
            Row = row is null ? null : new Dictionary<string, string>(stage.Declaration.FanOut!.Optional.Where(o => !row.ContainsKey(o.Key)).Concat(row)),
            Point = row is null ? null : string.Join('.', stage.Declaration.FanOut!.Point.Select(c => row[c])),
            OutputFolder = output,
            DeclaredOutputs = declared,
            Key = KeyOf(settings, inputs, row),
            WorkFolder = Directory.CreateDirectory(folder["work"]).FullName,
            PreparedFolder = folder["prepared"],
            CacheFolder = Directory.CreateDirectory(folder["cache"]).FullName,
            NativeFolders = NativeFolders,
            Progress = _ => { },
            Report = warnings.Add,
            Publish = () => { },
            Stop = stop,
        };
}
