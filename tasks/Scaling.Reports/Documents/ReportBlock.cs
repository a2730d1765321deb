// The parts of a report, as data: how they look in Markdown stands in MarkdownText, how in a browser in HtmlPage.
namespace Scaling.Reports;

/// <summary>A part of a report. Texts are Markdown of one paragraph: emphasis, code and links.</summary>
public abstract record ReportBlock;

/// <summary>A heading.</summary>
/// <param name="Level">1 for the report's title, 2 for its sections, to 6.</param>
/// <param name="Text">One line.</param>
public sealed record HeadingBlock(int Level, string Text) : ReportBlock;

/// <summary>A paragraph.</summary>
/// <param name="Text">What it says.</param>
public sealed record ParagraphBlock(string Text) : ReportBlock;

/// <summary>Lines as they are, in a fixed pitch: a formula, a command, a file.</summary>
/// <param name="Text">Without a last line end.</param>
/// <param name="Language">For example <c>sh</c>; <c>text</c> for none.</param>
public sealed record CodeBlock(string Text, string Language) : ReportBlock;

/// <summary>Points.</summary>
/// <param name="Items">At least one.</param>
public sealed record ListBlock(IReadOnlyList<string> Items) : ReportBlock;

/// <summary>A table; in a browser its columns sort.</summary>
/// <param name="Columns">Headers.</param>
/// <param name="Rows">At least one, each with a cell a column.</param>
public sealed record TableBlock(IReadOnlyList<ReportColumn> Columns, IReadOnlyList<IReadOnlyList<string>> Rows) : ReportBlock;

/// <summary>A figure with its caption.</summary>
/// <param name="Figure">What is drawn; its title is the text for those who do not see it.</param>
/// <param name="File">The SVG file beside the report, relative, forward slashes; its data lies beside it with the ending <c>.csv</c>.</param>
/// <param name="Caption">What to see in it, one or two sentences.</param>
public sealed record FigureBlock(Figure Figure, string File, string Caption) : ReportBlock;

/// <summary>What is shown on demand: evidence that few read.</summary>
/// <param name="Summary">What is in it, one line.</param>
/// <param name="Blocks">At least one.</param>
public sealed record FoldedBlock(string Summary, IReadOnlyList<ReportBlock> Blocks) : ReportBlock;

/// <summary>The answers that a reader came for, side by side in a browser.</summary>
/// <param name="Answers">At least one.</param>
public sealed record AnswersBlock(IReadOnlyList<Answer> Answers) : ReportBlock;

/// <summary>An answer.</summary>
/// <param name="Name">For example <c>Efficient</c>.</param>
/// <param name="About">What makes it the answer, for example <c>the fastest that is predicted to lose no more than the baseline</c>.</param>
/// <param name="Result">The answer itself, for example a shape in words.</param>
/// <param name="Text">What else a sentence or two say of it.</param>
public sealed record Answer(string Name, string About, string Result, string Text)
{
    /// <summary>The figures to look at first: a browser shows them in place of <see cref="Text"/>, which says them too. Default: none.</summary>
    public IReadOnlyList<AnswerFigure> Figures { get; init; } = [];
}

/// <summary>A figure of an answer, in large type.</summary>
/// <param name="Value">For example <c>+9.5 %</c>.</param>
/// <param name="Label">What it is, with its unit, for example <c>tokens a second</c>.</param>
/// <param name="Range">Its 95 % interval or what it is held against; null for none.</param>
public sealed record AnswerFigure(string Value, string Label, string? Range = null);

/// <summary>A column's header.</summary>
/// <param name="Header">With its unit.</param>
/// <param name="Right">Numbers stand at the right. Default: text, at the left.</param>
public sealed record ReportColumn(string Header, bool Right = false)
{
    /// <summary>A column of numbers.</summary>
    /// <param name="header">With its unit.</param>
    public static ReportColumn Number(string header) => new(header, Right: true);
}
