// Reports are Markdown that renders as meant.
using Scaling.TestKit;

namespace Scaling.Reports.Tests;

public class MarkdownTests
{
    [Fact]
    public Task A_report_has_headings_paragraphs_tables_lists_and_pictures() => Snapshot.Match(MarkdownText.Of(
        new ReportDocument()
            .Heading(1, "A study")
            .Paragraph("One line,\r\nand another.")
            .Table([new("shape"), ReportColumn.Number("loss (nats a token)")], [["3f9a1c07", "2.8030"], ["a|b", "–"]])
            .List(["one", "two\nlines"])
            .Folded("More < less", more => more.Code("L = E"))
            .Figure(new Figure("Loss against x", new("x", ""), new("loss", "nats a token"), []), "figures/loss-x.svg", "Each run.")));

    [Fact]
    public void A_table_without_rows_and_a_list_without_items_leave_nothing() =>
        Assert.Empty(new ReportDocument().Table([new("shape")], []).List([]).Answers([]).Folded("none", _ => { }).Blocks);

    [Fact]
    public void A_row_of_another_length_is_refused() =>
        Assert.Throws<ArgumentException>(() => new ReportDocument().Table([new("shape")], [["a", "b"]]));
}
