// What a run says while it goes on, and what it was.
using Scaling.Engine.Executors.Slurm;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Planning;
using Scaling.Engine.Plugins;
using Scaling.Sdk;

namespace Scaling.Engine.Execution;

/// <summary>The tool's exit codes.</summary>
public static class ExitCode
{
    public const int Done = 0;
    public const int StageFailed = 1;
    public const int Usage = 2;
    public const int InvalidPipeline = 3;
    public const int Integrity = 4;
    public const int Infrastructure = 5;
    public const int Interrupted = 130;

    /// <summary>What a command ends with for an error of this code, as the table of diagnostics says; null where the table leaves it to the command: stages of others, plugins, builds.</summary>
    /// <param name="code">Of a diagnostic.</param>
    public static int? Of(string code) => code.Length != 8 || !code.StartsWith("SCAL", StringComparison.Ordinal) ? null : code[4..] switch
    {
        "1070" or "1071" or "1072" => InvalidPipeline,
        "1099" or "6001" => Infrastructure,
        "3009" or "3031" or "3036" => StageFailed,
        "3010" or "3030" or "3032" or "4012" or "6013" => Integrity,
        "5101" or "5102" or "5103" or "5104" or "5115" => Infrastructure,
        "8601" => Usage,
        "9050" or "9051" or "9052" or "9054" or "9056" => Integrity,
        ['3', '0', '2', _] or ['6', '1', '2', _] => Integrity,
        ['3', '1', ..] => StageFailed,
        ['6', '1', '3', _] => Infrastructure,
        ['1', ..] => Usage,
        ['2', ..] or ['3', ..] => InvalidPipeline,
        ['4', ..] => Infrastructure,
        ['5', ..] or ['7', ..] or ['8', ..] => StageFailed,
        _ => null,
    };

    /// <summary>The code of a command that ends with findings: bytes that are not what they should be are worse than a mistake, and a world that does not answer worse still.</summary>
    /// <param name="findings">At least one.</param>
    /// <param name="otherwise">Where the first has none of its own.</param>
    public static int Of(IReadOnlyList<Diagnostic> findings, int otherwise)
    {
        int?[] codes = [.. findings.Where(f => f.Severity == Severity.Error).Select(f => Of(f.Code))];
        return codes.Contains(Infrastructure) ? Infrastructure : codes.Contains(Integrity) ? Integrity : codes.FirstOrDefault() ?? otherwise;
    }
}

/// <summary>What happens to other work when an action fails.</summary>
public enum FailurePolicy
{
    /// <summary>Everything that does not depend on it is done. The default.</summary>
    FinishOthers,

    /// <summary>As the default, and stages that need the table go on with the rows that succeeded.</summary>
    KeepGoing,

    /// <summary>Nothing new is begun, and what runs is stopped.</summary>
    FailFast,
}

/// <summary>How to run.</summary>
/// <param name="Jobs">Actions side by side, at least 1.</param>
/// <param name="OnFailure">What happens to other work.</param>
/// <param name="ResultsFolder">Absolute; results go to a folder below it that is named like the pipeline.</param>
public sealed record RunOptions(int Jobs, FailurePolicy OnFailure, string ResultsFolder)
{
    /// <summary>Ids of stages whose actions are executed whether they are in the store or not. Default: none.</summary>
    public IReadOnlySet<string> Again { get; init; } = new HashSet<string>();

    /// <summary>The plan that is executed: what it does not have is not begun. Default: none.</summary>
    public FrozenPlan? Plan { get; init; }
}

/// <summary>A failed action.</summary>
/// <param name="Point">The row's name; null without fan-out.</param>
/// <param name="Findings">Why.</param>
/// <param name="Log">What it printed; null for nothing.</param>
public sealed record Failure(string? Point, IReadOnlyList<Diagnostic> Findings, string? Log)
{
    /// <summary>The action's key; null where a stage failed that has no actions yet.</summary>
    public string? Key { get; init; }
}

/// <summary>One stage of a run.</summary>
/// <param name="Id">As YAML names it.</param>
/// <param name="Uses">Its type.</param>
public sealed record StageOutcome(string Id, string Uses)
{
    /// <summary>Actions planned, in a circle of the last round; 0 where an input is missing.</summary>
    public int Actions { get; init; }

    /// <summary>Executed and published by this run, in a circle in all of its rounds: they may be more than <see cref="Actions"/>.</summary>
    public int Executed { get; init; }

    /// <summary>Of <see cref="Actions"/>, found in the store, or published by another run meanwhile.</summary>
    public int Cached { get; init; }

    /// <summary>Those that failed.</summary>
    public IReadOnlyList<Failure> Failures { get; init; } = [];

    /// <summary>Wall time from the first action to the last, seconds.</summary>
    public double Seconds { get; init; }

    /// <summary>Rounds of its circle of feedback that it had; 0 for a stage in none.</summary>
    public int Rounds { get; init; }

    /// <summary>Why it was not done; null where it was.</summary>
    public string? NotDone { get; init; }
}

/// <summary>A whole run.</summary>
/// <param name="Pipeline">Its name.</param>
/// <param name="Stages">In the pipeline's order.</param>
/// <param name="ExitCode">See <see cref="Execution.ExitCode"/>.</param>
/// <param name="ResultsFolder">Where results lie.</param>
/// <param name="Results">Of the stages that are done, by id.</param>
public sealed record RunSummary(
    string Pipeline, IReadOnlyList<StageOutcome> Stages, int ExitCode, string ResultsFolder, IReadOnlyDictionary<string, StageResult> Results)
{
    /// <summary>The native packages of the stages that were planned, by id.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<NativePackage>> Natives { get; init; } = new Dictionary<string, IReadOnlyList<NativePackage>>();

    /// <summary>What its jobs on a cluster used of what they held, by stage; empty where there were none.</summary>
    public IReadOnlyList<StageUsage> ClusterUsage { get; init; } = [];

    /// <summary>SHA-256 of the files of the user that the stages had as inputs, by id, as they were used.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<Binding, string>> Digests { get; init; } = new Dictionary<string, IReadOnlyDictionary<Binding, string>>();
}

/// <summary>Takes what happens during a run, from several threads.</summary>
public interface IRunObserver
{
    /// <summary>A circle of feedback begins a round: its stages are planned again.</summary>
    /// <param name="circle">The circle.</param>
    /// <param name="round">From 1.</param>
    void Round(FeedbackCircle circle, int round);

    /// <summary>A stage's actions are known, in a circle those of a round.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="actions">All.</param>
    /// <param name="cached">Of them in the store.</param>
    /// <param name="reasons">Why the others are not.</param>
    void Planned(StageNode stage, int actions, int cached, IReadOnlyList<string> reasons);

    /// <summary>Native packages that a stage needs are being fetched; whoever fetches tells their sizes.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="packages">Those that <c>native.json</c> names; they may bring others along.</param>
    void Fetching(StageNode stage, IReadOnlyList<NativePackage> packages);

    /// <summary>What the stage's rows share is being made.</summary>
    /// <param name="stage">The stage.</param>
    void Preparing(StageNode stage);

    /// <summary>What the stage's rows share is there.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="executed">False where another run published it meanwhile.</param>
    /// <param name="seconds">What it took.</param>
    void Prepared(StageNode stage, bool executed, double seconds);

    /// <summary>A worker executes an action from now on. One whose worker died with others of its batch begins once more.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="point">The row; null without fan-out.</param>
    /// <param name="key">The action's key.</param>
    void Started(StageNode stage, string? point, string key);

    /// <summary>An action is on its way.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="point">The row; null without fan-out, and for what rows share.</param>
    /// <param name="progress">How far it is.</param>
    void Progressed(StageNode stage, string? point, StageProgress progress);

    /// <summary>An action waits for somebody else.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="point">The row; null without fan-out.</param>
    /// <param name="reason">For whom.</param>
    void Waiting(StageNode stage, string? point, string reason);

    /// <summary>What becomes of a stage's actions in the queue of a cluster.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="news">In words.</param>
    void Queued(StageNode stage, string news);

    /// <summary>An action is done.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="point">The row; null without fan-out.</param>
    /// <param name="key">The action's key.</param>
    /// <param name="executed">False where another run published it meanwhile.</param>
    /// <param name="seconds">What it took.</param>
    void Done(StageNode stage, string? point, string key, bool executed, double seconds);

    /// <summary>An action was stopped as asked, or is not begun because of that.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="point">The row; null without fan-out.</param>
    /// <param name="key">The action's key.</param>
    void Stopped(StageNode stage, string? point, string key);

    /// <summary>An action failed.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="failure">Why.</param>
    void Failed(StageNode stage, Failure failure);

    /// <summary>A stage warns.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="point">The row; null without fan-out.</param>
    /// <param name="warning">What.</param>
    void Warned(StageNode stage, string? point, Diagnostic warning);

    /// <summary>The store found damage.</summary>
    /// <param name="finding">What.</param>
    void FoundDamage(Diagnostic finding);

    /// <summary>A stage has ended.</summary>
    /// <param name="summary">How.</param>
    void Ended(StageOutcome summary);
}
