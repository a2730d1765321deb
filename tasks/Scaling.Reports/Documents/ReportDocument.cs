// A report, block by block: what it says, apart from how it looks.
namespace Scaling.Reports;

/// <summary>Built from top to bottom; see <see cref="MarkdownText"/> and <see cref="HtmlPage"/> for what becomes of it. What has no content leaves nothing.</summary>
public sealed class ReportDocument
{
    private readonly List<ReportBlock> _blocks = [];

    /// <summary>What was added, in order.</summary>
    public IReadOnlyList<ReportBlock> Blocks => _blocks;

    /// <summary>What a label of a figure's point stands for, for example a shape's widths by its id: shown where the pointer is, and kept once however often it is drawn.</summary>
    public IDictionary<string, string> Glossary { get; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <inheritdoc cref="HeadingBlock"/>
    public ReportDocument Heading(int level, string text) => Add(new HeadingBlock(level, text));

    /// <inheritdoc cref="ParagraphBlock"/>
    public ReportDocument Paragraph(string text) => Add(new ParagraphBlock(text));

    /// <inheritdoc cref="CodeBlock"/>
    public ReportDocument Code(string text, string language = "text") => Add(new CodeBlock(text, language));

    /// <inheritdoc cref="ListBlock"/>
    public ReportDocument List(IEnumerable<string> items)
    {
        string[] list = [.. items];
        return list.Length == 0 ? this : Add(new ListBlock(list));
    }

    /// <inheritdoc cref="TableBlock"/>
    /// <exception cref="ArgumentException">A row has another number of cells.</exception>
    public ReportDocument Table(IReadOnlyList<ReportColumn> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        IReadOnlyList<string>[] table = [.. rows];
        if (Array.Find(table, row => row.Count != columns.Count) is { } odd)
        {
            throw new ArgumentException($"{odd.Count} cells for {columns.Count} columns");
        }

        return table.Length == 0 ? this : Add(new TableBlock(columns, table));
    }

    /// <inheritdoc cref="FigureBlock"/>
    public ReportDocument Figure(Figure figure, string file, string caption) => Add(new FigureBlock(figure, file, caption));

    /// <inheritdoc cref="AnswersBlock"/>
    public ReportDocument Answers(IReadOnlyList<Answer> answers) => answers.Count == 0 ? this : Add(new AnswersBlock(answers));

    /// <inheritdoc cref="FoldedBlock"/>
    /// <param name="summary">What is in it, one line.</param>
    /// <param name="fill">Adds the blocks.</param>
    public ReportDocument Folded(string summary, Action<ReportDocument> fill)
    {
        var inner = new ReportDocument();
        fill(inner);
        return inner.Blocks.Count == 0 ? this : Add(new FoldedBlock(summary, inner.Blocks));
    }

    private ReportDocument Add(ReportBlock block)
    {
        _blocks.Add(block);
        return this;
    }
}
