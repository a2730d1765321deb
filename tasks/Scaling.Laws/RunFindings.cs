// What is wrong with a table, gathered; a table of a million bad cells is told in twenty lines and a count.
namespace Scaling.Laws;

/// <summary>Something wrong with a table.</summary>
/// <param name="Code">
/// SCAL7102 a column is missing, 7103 a cell cannot be used, 7111 a formula cannot be read, 7112 it has no value in a row, 7113 no row meets
/// <c>where</c>, 7114 there are no rows, 7115 two quantities are one column, 7116 the cells of a row contradict each other.
/// </param>
/// <param name="Message">What was found and what was expected.</param>
/// <param name="Missing">The name that is not there, to suggest the nearest; null where nothing is missing.</param>
public sealed record RunTableFinding(string Code, string Message, string? Missing = null)
{
    /// <summary>What <see cref="Missing"/> may have meant; null: the table's columns.</summary>
    public IReadOnlyList<string>? Candidates { get; init; }

    /// <summary>What to do where no name is near; null where the message says it.</summary>
    public string? Hint { get; init; }
}

internal sealed class RunFindings
{
    /// <summary>More than this many are counted, not listed.</summary>
    private const int Listed = 20;

    private readonly List<RunTableFinding> _findings = [];
    private int _unlisted;

    public bool Any => _findings.Count > 0;

    public void Add(RunTableFinding finding) => Add(() => finding);

    /// <summary>Adds a finding, which is put into words only where it is listed.</summary>
    public void Add(Func<RunTableFinding> finding)
    {
        if (_findings.Count < Listed)
        {
            _findings.Add(finding());
        }
        else
        {
            _unlisted++;
        }
    }

    /// <summary>In the order in which they were found.</summary>
    public IReadOnlyList<RunTableFinding> Reported() => _unlisted == 0
        ? _findings
        : [.. _findings, new RunTableFinding(_findings[^1].Code, $"And {_unlisted} more that are not listed.")];
}
