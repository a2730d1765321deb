// What a CI system reads in a log: groups that fold, and findings that it shows where they belong.
using System.Globalization;
using Scaling.Sdk;

namespace Scaling.Cli;

/// <summary>The marks of one CI system.</summary>
internal abstract class LogMarks
{
    /// <summary>Those of the system that runs this process; null where none says so.</summary>
    /// <param name="variable">Reads an environment variable.</param>
    public static LogMarks? Of(Func<string, string?> variable) =>
        variable("GITHUB_ACTIONS") == "true" ? new GitHubMarks(variable("GITHUB_WORKSPACE"))
        : variable("GITLAB_CI") == "true" ? new GitLabMarks()
        : null;

    /// <summary>Begins a group.</summary>
    /// <param name="id">Letters, digits, <c>_</c> and <c>-</c>.</param>
    /// <param name="title">What stands there when it is folded.</param>
    /// <param name="now">The time.</param>
    public abstract string Open(string id, string title, DateTimeOffset now);

    /// <summary>Ends the group.</summary>
    /// <param name="id">As it was begun.</param>
    /// <param name="now">The time.</param>
    public abstract string Close(string id, DateTimeOffset now);

    /// <summary>A line that shows a finding where it belongs; null where the system has none.</summary>
    /// <param name="finding">Any.</param>
    public virtual string? Annotation(Diagnostic finding) => null;

    /// <summary>A line of text that is not ours, so that it commands nothing.</summary>
    /// <param name="text">One line.</param>
    public virtual string Harmless(string text) => text;
}

/// <summary>https://docs.github.com/actions/reference/workflow-commands-for-github-actions</summary>
/// <param name="workspace">The checkout, which places are relative to; null where it is not known.</param>
internal sealed class GitHubMarks(string? workspace) : LogMarks
{
    public override string Open(string id, string title, DateTimeOffset now) => $"::group::{Data(title)}";

    public override string Close(string id, DateTimeOffset now) => "::endgroup::";

    public override string Annotation(Diagnostic finding)
    {
        var properties = new List<string>();
        if (finding.Location is { } place)
        {
            properties.Add($"file={Property(Relative(place.File))}");
            properties.AddRange(place.Line > 0 ? [$"line={place.Line}"] : []);
            properties.AddRange(place.Column > 0 ? [$"col={place.Column}"] : []);
        }

        properties.Add($"title={Property(finding.Code)}");
        string text = finding.Hint is null ? finding.Message : $"{finding.Message}\n{finding.Hint}";
        return $"::{(finding.Severity == Severity.Error ? "error" : "warning")} {string.Join(',', properties)}::{Data(text)}";
    }

    /// <summary>The older form of a command is one anywhere in a line.</summary>
    public override string Harmless(string text) => text.Replace("##[", "## [", StringComparison.Ordinal);

    private string Relative(string file)
    {
        string full = Path.GetFullPath(file);
        string below = string.IsNullOrEmpty(workspace) ? full : Path.GetRelativePath(workspace, full);
        return below.StartsWith("..", StringComparison.Ordinal) ? full : below.Replace('\\', '/');
    }

    private static string Data(string text) => text.Replace("%", "%25", StringComparison.Ordinal).Replace("\r", "%0D", StringComparison.Ordinal).Replace("\n", "%0A", StringComparison.Ordinal);

    private static string Property(string text) => Data(text).Replace(":", "%3A", StringComparison.Ordinal).Replace(",", "%2C", StringComparison.Ordinal);
}

/// <summary>https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections</summary>
internal sealed class GitLabMarks : LogMarks
{
    private const string EraseLine = "\u001b[0K";

    public override string Open(string id, string title, DateTimeOffset now) => $"{EraseLine}section_start:{Seconds(now)}:{id}[collapsed=true]\r{EraseLine}{title}";

    public override string Close(string id, DateTimeOffset now) => $"{EraseLine}section_end:{Seconds(now)}:{id}\r{EraseLine}";

    private static string Seconds(DateTimeOffset now) => now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
}
