// Exit codes against the table of diagnostics.
using System.Text.RegularExpressions;
using Scaling.Engine.Execution;
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.Engine.Tests.Execution;

public sealed partial class ExitCodeTests
{
    [Fact]
    public void Every_error_has_the_exit_code_that_its_row_or_its_section_says()
    {
        int? section = null;
        int rows = 0;
        foreach (string line in File.ReadLines(Path.Combine(Repository.Root, "tool", "Scaling.Cli", "DIAGNOSTICS.md")))
        {
            if (line.StartsWith("## ", StringComparison.Ordinal))
            {
                section = Told(line);
            }
            else if (Row().Match(line) is { Success: true } row && !row.Groups[2].Value.StartsWith("warning: ", StringComparison.Ordinal))
            {
                string code = row.Groups[1].Value;
                Assert.True((Told(line) ?? section) == ExitCode.Of(code), $"{code} ends with {ExitCode.Of(code)}, and its row says: {line}");
                rows++;
            }
        }

        Assert.InRange(rows, 250, 1000);
    }

    [Fact]
    public void Of_several_findings_the_worst_tells()
    {
        Diagnostic usage = new("SCAL1003", ""), integrity = new("SCAL3021", ""), disk = new("SCAL4011", ""), other = new("TEST0001", "");

        Assert.Equal(ExitCode.Infrastructure, ExitCode.Of([integrity, disk, usage], ExitCode.StageFailed));
        Assert.Equal(ExitCode.Integrity, ExitCode.Of([other, integrity], ExitCode.StageFailed));
        Assert.Equal(ExitCode.Usage, ExitCode.Of([usage], ExitCode.StageFailed));
        Assert.Equal(ExitCode.StageFailed, ExitCode.Of([other, disk with { Severity = Severity.Warning }], ExitCode.StageFailed));
    }

    private static int? Told(string line) => Exit().Match(line) is { Success: true } told ? int.Parse(told.Groups[1].Value) : null;

    [GeneratedRegex(@"^\| (SCAL\d{4}) \| (.*)$")]
    private static partial Regex Row();

    [GeneratedRegex(@"\(exit code (\d)\)")]
    private static partial Regex Exit();
}
