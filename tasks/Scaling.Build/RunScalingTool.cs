// Starts the tool that lies in the package, and hands its diagnostics to the build.
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace Scaling.Build;

/// <summary>
/// One call of <c>dotnet exec dotnet-scaling.dll</c>. What the tool says as <c>file(line,column): error SCAL2003: text</c> is an error of the build at that place;
/// an end without a diagnostic is <c>SCAL9110</c>.
/// </summary>
public sealed class RunScalingTool : ToolTask
{
    private const int LinesKept = 5;
    private readonly List<ITaskItem> files = [];
    private readonly Queue<string> lastLines = new();
    private volatile bool cancelled;

    /// <summary>The tool's <c>dotnet-scaling.dll</c>.</summary>
    [Required]
    public string ToolFile { get; set; } = "";

    /// <summary>The program that starts it: the full path of <c>dotnet</c>. Empty: none was found, which is <c>SCAL9108</c>.</summary>
    public string Host { get; set; } = "";

    /// <summary>A step of <see cref="ExaminePipelines"/>: its pipeline, settings and places.</summary>
    [Required]
    public ITaskItem Step { get; set; } = new TaskItem();

    /// <summary><c>run</c>, which executes what is missing, or <c>restore</c>, which takes results that are there.</summary>
    [Required]
    public string Verb { get; set; } = "";

    /// <summary>The store's folder. Empty: the tool's default.</summary>
    public string Cache { get; set; } = "";

    /// <summary>The files that the tool named on its standard output, in its order.</summary>
    [Output]
    public ITaskItem[] Files => [.. files];

    /// <inheritdoc/>
    protected override string ToolName => "dotnet";

    /// <inheritdoc/>
    protected override Encoding StandardOutputEncoding => Encoding.UTF8;

    /// <inheritdoc/>
    protected override Encoding StandardErrorEncoding => Encoding.UTF8;

    /// <summary>Standard output holds the restored files, one a line, which nobody needs to see; by this importance it is told from standard error.</summary>
    protected override MessageImportance StandardOutputLoggingImportance => MessageImportance.Low;

    /// <summary>A run is long, and its progress is worth seeing.</summary>
    protected override MessageImportance StandardErrorLoggingImportance => Verb == "run" ? MessageImportance.High : MessageImportance.Normal;

    /// <inheritdoc/>
    public override void Cancel()
    {
        cancelled = true;
        base.Cancel();
    }

    /// <summary>Runs of one pipeline take turns, those of several target frameworks at once for example: whoever comes second finds everything done.</summary>
    public override bool Execute()
    {
        using var turn = Verb == "run" ? AwaitTurn() : null;
        return !cancelled && base.Execute();
    }

    /// <inheritdoc/>
    protected override string GenerateFullPathToTool() => Host;

    /// <inheritdoc/>
    protected override string GetWorkingDirectory() => Path.GetDirectoryName(Pipeline)!;

    private string Pipeline => Step.GetMetadata("FullPath");

    /// <inheritdoc/>
    protected override string GenerateCommandLineCommands()
    {
        var line = new CommandLineBuilder();
        line.AppendSwitch("exec");
        line.AppendFileNameIfNotNull(ToolFile);
        line.AppendSwitch(Verb);
        line.AppendFileNameIfNotNull(Pipeline);
        if (Verb == "run")
        {
            line.AppendSwitchIfNotNull("--out ", Step.GetMetadata("RunFolder"));
        }
        else
        {
            AppendRestore(line);
        }

        AppendSet(line, "--cache ", Cache);
        return line.ToString();
    }

    /// <inheritdoc/>
    protected override bool ValidateParameters()
    {
        if (!RuntimeInformation.IsOSPlatform(OSPlatform.Linux))
        {
            Log.LogError(null, "SCAL9109", null, null, Pipeline, 0, 0, 0, 0,
                "The results of a study are restored on Linux alone; this is {0}. Build in a container or in WSL, or set EnableScalingPipelines to false to build without them.", RuntimeInformation.OSDescription.Trim());
        }
        else if (Host.Length == 0 || !File.Exists(Host))
        {
            Log.LogError(null, "SCAL9108", null, null, Pipeline, 0, 0, 0, 0,
                "There is no program 'dotnet' to start the tool with{0}. Set ScalingDotnetHost to its full path, or DOTNET_HOST_PATH in the environment.", Host.Length == 0 ? "" : $" at '{Host}'");
        }
        else if (!File.Exists(ToolFile))
        {
            Log.LogError(null, "SCAL9111", null, null, Pipeline, 0, 0, 0, 0,
                "The package's tool is not at '{0}'. Restore the package Scaling.Build again, or correct ScalingToolFile.", ToolFile);
        }

        // A machine with a later runtime alone still runs the tool; the variable reaches the tool's workers too, which a switch of `dotnet exec` would not.
        EnvironmentVariables = [.. EnvironmentVariables ?? [], "DOTNET_ROLL_FORWARD=Major"];
        return !Log.HasLoggedErrors && base.ValidateParameters();
    }

    /// <inheritdoc/>
    protected override void LogEventsFromTextOutput(string singleLine, MessageImportance messageImportance)
    {
        if (messageImportance == StandardOutputLoggingImportance)
        {
            if (Path.IsPathRooted(singleLine))
            {
                files.Add(new TaskItem(PathText.Escaped(singleLine)));
            }
        }
        else if (singleLine.Trim().Length > 0)
        {
            lastLines.Enqueue(singleLine.Trim());
            if (lastLines.Count > LinesKept)
            {
                lastLines.Dequeue();
            }
        }

        base.LogEventsFromTextOutput(singleLine, messageImportance);
    }

    /// <inheritdoc/>
    protected override bool HandleTaskExecutionErrors()
    {
        if (!Log.HasLoggedErrors)
        {
            string said = lastLines.Count == 0 ? "It said nothing." : $"Its last lines: {string.Join(" | ", lastLines)}";
            Log.LogError(null, "SCAL9110", null, null, Pipeline, 0, 0, 0, 0,
                "'dotnet scaling {0}' ended with exit code {1} and without a diagnostic. {2}", Verb, ExitCode, said);
        }

        return false;
    }

    /// <summary>The file beside the intermediate folder's own is none that builds of all frameworks share; one named after the pipeline in the temporary folder is.</summary>
    private FileStream? AwaitTurn()
    {
        using var sha = SHA256.Create();
        string id = BitConverter.ToString(sha.ComputeHash(Encoding.UTF8.GetBytes(Pipeline)), 0, 8).Replace("-", "").ToLowerInvariant();
        string file = Path.Combine(Path.GetTempPath(), $"scaling-build-{id}.turn");
        for (bool told = false; !cancelled; told = true)
        {
            try
            {
                return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                if (!told)
                {
                    Log.LogMessage(MessageImportance.High, "Another build runs {0}; waiting for it.", Pipeline);
                }

                Thread.Sleep(200);
            }
        }

        return null;
    }

    private void AppendRestore(CommandLineBuilder line)
    {
        line.AppendSwitchIfNotNull("--into ", Step.GetMetadata("Folder"));
        AppendSet(line, "--results ", Step.GetMetadata("ResultsFolder"));
        AppendSet(line, "--stages ", Step.GetMetadata("StageList"));
        line.AppendSwitchIfNotNull("--inputs-to ", Step.GetMetadata("InputsFile"));
        if (Step.GetMetadata("Mode") == "Verify")
        {
            line.AppendSwitch("--verify");
        }

        if (Step.GetMetadata("Record").Length > 0)
        {
            line.AppendSwitchIfNotNull("--record ", Step.GetMetadata("Record"));
            line.AppendSwitchIfNotNull("--record-to ", Step.GetMetadata("RecordFile"));
            AppendSet(line, "--record-from ", Step.GetMetadata("RecordFrom"));
        }
    }

    private static void AppendSet(CommandLineBuilder line, string option, string value)
    {
        if (value.Length > 0)
        {
            line.AppendSwitchIfNotNull(option, value);
        }
    }
}
