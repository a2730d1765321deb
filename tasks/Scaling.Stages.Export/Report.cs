// The report: the answer first, then how sure it is, then the evidence, how to read it, and where it comes from.
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
        var report = new ReportDocument().Heading(1, title);
        ReportAnswer.Append(report, study, lint, configurations);
        ReportConsumers.Append(report, lint);
        ReportConfidence.Append(report, study);
        ReportEvidence.Append(report, study, figures);
        ReportReading.Append(report, study);
        return report;
    }
}
