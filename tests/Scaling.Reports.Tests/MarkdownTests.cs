// Reports are Markdown that renders as meant.
using Scaling.TestKit;

namespace Scaling.Reports.Tests;

public class MarkdownTests
{
    [Fact]
    public Task A_report_has_headings_paragraphs_tables_lists_and_pictures() => Snapshot.Match(
        new MarkdownDocument()
            .Heading(1, "A study")
            .Paragraph("One line,\r\nand another.")
            .Table([new("shape"), MarkdownColumn.Number("loss (nats a token)")], [["3f9a1c07", "2.8030"], ["a|b", "–"]])
            .List(["one", "two\nlines"])
            .Picture("Loss against x", "figures/loss-x.svg")
            .ToString());

    [Fact]
    public void A_table_without_rows_and_a_list_without_items_leave_nothing() =>
        Assert.Equal("", new MarkdownDocument().Table([new("shape")], []).List([]).ToString());

    [Fact]
    public void A_row_of_another_length_is_refused() =>
        Assert.Throws<ArgumentException>(() => new MarkdownDocument().Table([new("shape")], [["a", "b"]]));
}
