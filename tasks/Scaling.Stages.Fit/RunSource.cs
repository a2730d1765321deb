// Where the runs come from: the stage before, or a table of the user; exactly one of the two.
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Fit;

/// <summary>A table of runs with the name its user knows it by.</summary>
/// <param name="Path">The file.</param>
/// <param name="Place">What diagnostics call it.</param>
/// <param name="Context">Says how to read it and takes warnings.</param>
internal sealed record RunSource(string Path, string Place, StageContext<FitSettings> Context)
{
    public static RunSource Of(StageContext<FitSettings> context)
    {
        var runs = context.Inputs("runs");
        var table = context.Settings.Table;
        if ((runs.Count == 1) == (table is not null))
        {
            string found = table is null ? "neither" : "both";
            throw new StageFailedException(
                "SCAL7101", $"fit takes its runs from a stage ('needs:') or from a table ('with: {{ table: runs.csv }}'); {found} is given.",
                table is null ? "Add 'needs: RUNS' with the id of a train stage." : "Remove one of the two.");
        }

        if (table is null)
        {
            return new RunSource(runs[0].Path, System.IO.Path.GetFileName(runs[0].Path), context);
        }

        return table.Paths is [var only]
            ? new RunSource(only, table.Text, context)
            : throw new StageFailedException("SCAL7109", $"'table: {table.Text}' names {table.Paths.Count} files where one was expected.");
    }

    /// <summary>The runs; what is odd about them is warned of.</summary>
    /// <exception cref="StageFailedException">Something is wrong with them.</exception>
    public RunTable Read()
    {
        var settings = Context.Settings;
        var table = Table();
        var read = RunTable.Read(table.Columns, table.Rows, new RunReading
        {
            Columns = settings.Columns.ToRead(),
            Counting = settings.Counting == "total" ? ParameterCounting.Total : ParameterCounting.NonEmbedding,
            Where = settings.Where,
            Covariates = settings.Covariates,
        });
        if (read.Findings.Count > 0)
        {
            throw new StageFailedException([.. read.Findings.Select(f => new Diagnostic(f.Code, f.Message)
            {
                Location = new SourceLocation(Place),
                Hint = f.Missing is null ? f.Hint : NearestSpelling.Hint(f.Missing, f.Candidates ?? table.Columns) ?? f.Hint,
            })]);
        }

        foreach (string note in read.Notes)
        {
            Context.Warn("SCAL7119", $"{Place}: {note}");
        }

        return read;
    }

    public StageFailedException Failure(string code, string message, string hint) =>
        new([new Diagnostic(code, message) { Location = new SourceLocation(Place), Hint = hint }]);

    /// <summary>The table, problems reported under the name that the user gave.</summary>
    private Table Table()
    {
        try
        {
            return TableFile.Read(Path);
        }
        catch (StageFailedException e)
        {
            throw new StageFailedException([.. e.Diagnostics.Select(d => d with { Location = new SourceLocation(Place, d.Location?.Line ?? 0) })]);
        }
    }
}
