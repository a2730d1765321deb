// One action in a worker: its folders, its lease, and the step that publishes it.
using System.Diagnostics;
using Scaling.Engine.Keys;
using Scaling.Engine.Store;
using Scaling.Sdk;

namespace Scaling.Engine.Workers;

/// <summary>An action whose lease this process holds.</summary>
/// <param name="store">Where it is published.</param>
/// <param name="spec">What it is.</param>
/// <param name="lease">Of its key.</param>
/// <param name="laps">Times it; the rows of a batch have one in common.</param>
internal sealed class RunningAction(ContentStore store, ActionSpec spec, Lease lease, Laps laps) : IDisposable
{
    private static readonly string[] OwnFolders = ["out", "in", "prepared", "scratch"];

    public ActionSpec Spec { get; } = spec;

    /// <summary>Until it was published; in a batch, since the row before it was, so that together they are what the batch took.</summary>
    public double Seconds { get; private set; }

    public Stopwatch SinceProgress { get; } = Stopwatch.StartNew();

    /// <summary>Whether nobody has superseded its lease.</summary>
    public bool IsHeld => lease.IsHeld;

    private string Work => lease.Work;

    private string Output => Path.Combine(Work, "out");

    /// <summary>Lays out the action's folders and hands them to the stage.</summary>
    /// <exception cref="InfrastructureException">The store cannot be written.</exception>
    public ActionContext Context(StageDeclaration declaration, Action<StageProgress> progress, Action<Diagnostic> report, Action publish, CancellationToken stop)
    {
        try
        {
            return LayOut(declaration, progress, report, publish, stop);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw InfrastructureException.OfFile(e);
        }
    }

    private ActionContext LayOut(StageDeclaration declaration, Action<StageProgress> progress, Action<Diagnostic> report, Action publish, CancellationToken stop)
    {
        if (!IsHeld)
        {
            throw new IOException("another has taken the action over"); // Its folder must not be made again.
        }

        foreach (string made in new[] { Output, Path.Combine(Work, "in"), Path.Combine(Work, "prepared") })
        {
            if (Directory.Exists(made))
            {
                Directory.Delete(made, recursive: true);
            }
        }

        Directory.CreateDirectory(Output);
        string? prepared = Spec.Prepared.Count == 0 ? null : Path.Combine(Work, "prepared");
        foreach (var file in Spec.Prepared)
        {
            Lay(file, prepared!);
        }

        return new ActionContext
        {
            Settings = Spec.Settings,
            Row = Spec.Row,
            Point = Spec.Point,
            PipelineSeed = Spec.PipelineSeed,
            Inputs = Spec.Inputs.GroupBy(i => i.Role).ToDictionary(role => role.Key, Files),
            OutputFolder = Output,
            DeclaredOutputs = [.. Declared(declaration).Select(file => file.Name)],
            WorkFolder = Directory.CreateDirectory(Path.Combine(Work, "scratch")).FullName,
            Key = Spec.Key,
            SetAside = SetAside,
            PreparedFolder = prepared,
            CacheFolder = Directory.CreateDirectory(store.MachineCachePath).FullName,
            NativeFolders = Spec.NativeFolders,
            Progress = progress,
            Report = report,
            Publish = publish,
            Stop = stop,
        };

        IReadOnlyList<InputFile> Files(IGrouping<string, ActionInput> role) =>
            [.. role.Select((file, i) => new InputFile(Lay(file, Path.Combine(Work, "in", role.Key, $"{i}")), file.Point))];
    }

    private void SetAside(string checkpoint) => store.Quarantine(checkpoint, $"A checkpoint of {Spec.Stage}{(Spec.Point is null ? "" : " " + Spec.Point)} is damaged", "is not gone on from");

    /// <summary>Publishes the outputs; or tells that an input changed while the action ran, or that another has superseded its lease: both publish nothing.</summary>
    /// <exception cref="StageFailedException">SCAL6004, SCAL6005: the stage broke its declaration.</exception>
    /// <exception cref="InfrastructureException">The store cannot be written.</exception>
    public ActionEnd Publish(StageDeclaration declaration)
    {
        try
        {
            return Published(declaration);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or StageFailedException && IsLost())
        {
            return ActionEnd.Busy; // Its files are another's now.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw InfrastructureException.OfFile(e);
        }
    }

    private bool IsLost()
    {
        try
        {
            return !IsHeld;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // Then the store is what fails.
        }
    }

    private ActionEnd Published(StageDeclaration declaration)
    {
        Seconds = laps.Next();
        var declared = Declared(declaration);
        foreach (var file in declared)
        {
            CheckWritten(file);
        }

        CheckTrespass(declared);

        if (Spec.Reads.Any(r => Changed(r.Path, r.Sha256)) || Spec.Inputs.Concat(Spec.Prepared).Any(i => i.Path is not null && Changed(i.Path, i.Sha256)) || CodeChanged())
        {
            return ActionEnd.InputsChanged;
        }

        StoredFile[] files =
        [
            .. declared.Where(d => File.Exists(Path.Combine(Output, d.Name)))
                .Select(d => store.Take(Path.Combine(Output, d.Name), d.Name, d.Kind) with { Volatile = d.Volatile }),
        ];
        if (!IsHeld)
        {
            return ActionEnd.Busy;
        }

        store.Publish(new Manifest(Spec.Key, Spec.Stage, Spec.Point, Spec.Entries, files, Seconds, store.Now));
        RemoveWork();
        return ActionEnd.Published;
    }

    private void RemoveWork()
    {
        try
        {
            Directory.Delete(Work, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Something of it is still in use. What is published stays published, and gc removes the rest.
        }
    }

    public void Dispose() => lease.Dispose();

    private IReadOnlyList<OutputFile> Declared(StageDeclaration declaration) => Spec.Kind == ActionKind.Prepare
        ? [.. declaration.Prepare!.Outputs.Select(name => new OutputFile(name, "prepared"))]
        : declaration.Outputs;

    private void CheckWritten(OutputFile file)
    {
        string path = Path.Combine(Output, file.Name);
        if (!File.Exists(path))
        {
            if (!file.Optional)
            {
                throw new StageFailedException("SCAL6004", $"The stage '{Spec.Stage}' did not write its output '{file.Name}'.", "This is a defect of the stage.");
            }

            return;
        }

        if (new FileInfo(path).LinkTarget is { } target)
        {
            throw new StageFailedException("SCAL6016", $"The stage '{Spec.Stage}' wrote '{file.Name}' as a link to {target}, which may change or go.", "This is a defect of the stage: it has to write the file itself.");
        }

        if (file.Columns.Count > 0)
        {
            CheckTable(file, path);
        }
    }

    /// <summary>
    /// What lies beside the folders that a stage was given was written by a path that leads out of them; what it wrote among its outputs undeclared would be lost. A stage is no prisoner: what it writes elsewhere on
    /// the machine, nobody sees here.
    /// </summary>
    private void CheckTrespass(IReadOnlyList<OutputFile> declared)
    {
        if (Directory.EnumerateFileSystemEntries(Work).Select(f => Path.GetFileName(f)).FirstOrDefault(name => !OwnFolders.Contains(name)) is { } beside)
        {
            throw new StageFailedException("SCAL6016", $"The stage '{Spec.Stage}' wrote '{beside}' outside its folder.", "This is a defect of the stage: it may write to context.Output(name) and below context.WorkFolder.");
        }

        if (Directory.EnumerateFiles(Output, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Output, f)).FirstOrDefault(name => declared.All(d => d.Name != name)) is { } undeclared)
        {
            throw new StageFailedException("SCAL6016", $"The stage '{Spec.Stage}' wrote '{undeclared}' among its outputs and does not declare it.", "This is a defect of the stage: it has to declare the file, or write it below context.WorkFolder.");
        }
    }

    private void CheckTable(OutputFile file, string path)
    {
        const string Whose = "This is a defect of the stage.";
        string expected = string.Join(',', file.Columns.Select(c => c.Name));
        try
        {
            string found = string.Join(',', Table.Parse(File.ReadAllText(path)).Columns);
            if (found != expected)
            {
                throw new StageFailedException("SCAL6005", $"The stage '{Spec.Stage}' wrote '{file.Name}' with the columns {found}; it declares {expected}.", Whose);
            }
        }
        catch (FormatException e)
        {
            throw new StageFailedException("SCAL6005", $"The stage '{Spec.Stage}' wrote '{file.Name}', which is no table: {e.Message}; it declares {expected}.", Whose);
        }
    }

    /// <summary>Whether the plugin was built again since its key was made: nobody knows then which code ran.</summary>
    private bool CodeChanged()
    {
        string folder = Path.GetDirectoryName(Spec.Assembly)!;
        return Spec.Entries.Any(e => e.Kind is EntryKind.Assembly or EntryKind.Library && Changed(Path.Combine(folder, e.Name), e.Value));
    }

    private bool Changed(string path, string digest) => !File.Exists(path) || store.Digest(path) != digest;

    /// <summary>Puts an input under its familiar name: a link to where it lies, or the content itself where small.</summary>
    private static string Lay(ActionInput file, string folder)
    {
        string path = Path.Combine(folder, file.Name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (file.Inline is null)
        {
            File.CreateSymbolicLink(path, file.Path!);
        }
        else
        {
            File.WriteAllBytes(path, file.Inline);
        }

        return path;
    }
}

/// <summary>Times what one process executes, one action after the other.</summary>
internal sealed class Laps
{
    private long _since = Stopwatch.GetTimestamp();

    /// <summary>Seconds since the last call, or since this was made.</summary>
    public double Next()
    {
        long now = Stopwatch.GetTimestamp();
        return Stopwatch.GetElapsedTime(Interlocked.Exchange(ref _since, now), now).TotalSeconds;
    }
}
