// The report: the answer first and how sure it is, then the evidence, what it cost, how to read it, and where it comes from.
using Scaling.Reports;

namespace Scaling.Stages.Export;

/// <summary>The same tables give the same bytes: no time, no path, no machine.</summary>
internal static class Report
{
    /// <summary>The report.</summary>
    /// <param name="study">What was given.</param>
    /// <param name="lint">Who takes the shapes.</param>
    /// <param name="title">Heading.</param>
    /// <param name="configurations">Files of the picks that were written.</param>
    /// <param name="figures">Those that were drawn.</param>
    public static ReportDocument Of(Study study, Lint lint, string title, IReadOnlyList<string> configurations, IReadOnlyList<StudyFigure> figures)
    {
        var report = new ReportDocument().Heading(1, MarkdownText.Verbatim(title));
        if (study.Best is { } best)
        {
            ReportAnswer.Append(report, study, best, lint, configurations);
        }
        else
        {
            ReportLawAnswer.Append(report, study, study.Law!);
        }

        ReportConfidence.Append(report, study);
        ReportConsumers.Append(report, lint);
        ReportChosen.Append(report, study, Show);
        ReportRuns.Append(report, study, Show);
        ReportAccuracy.Append(report, study);
        Show(ExportTables.AccuracyAgainstLoss);
        ReportLaw.Append(report, study);
        ReportExtrapolation.Append(report, study, Show);
        if (study.Best is { } found)
        {
            ReportSearch.Append(report, study, found);
            Show(ExportTables.Front);
            ReportValley.Append(report, study, found);
            ReportGrouping.Append(report, study, found);
            ReportTrades.Append(report, found, Show);
            ReportCompared.Append(report, study, found);
        }

        ReportReferences.Append(report, study);
        Show(ExportTables.References);
        ReportSpeed.Append(report, study, Show);
        ReportCosts.Append(report, study);
        ReportReading.Append(report, study);
        ShapeNames.Explain(report, study, figures);
        return report;

        void Show(params string[] files)
        {
            foreach (string file in files)
            {
                if (figures.FirstOrDefault(f => f.File == file) is { } figure)
                {
                    report.Figure(figure.Figure, figure.File, figure.Caption);
                }
            }
        }
    }
}
