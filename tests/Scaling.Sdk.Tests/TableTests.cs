// Tables as files: what is written is what is read, and what is no table says so.
using CsCheck;
using Scaling.TestKit;

namespace Scaling.Sdk.Tests;

public class TableTests
{
    private static readonly Column[] Columns = [new("shape", "text", "Name."), new("loss", "nats a token", "Held out."), new("tied", "truth", "One matrix.")];

    [Fact]
    public void Any_text_survives_a_file()
    {
        using var folder = new TemporaryFolder();
        var cell = Gen.Char["ab ,;\"\n\r\t'#=é\u2028"].Array[0, 6].Select(letters => new string(letters));
        var table = Gen.Int[1, 4].SelectMany(width => cell.Array[width].Array[0, 5]);

        table.Sample(
            rows =>
            {
                int width = rows.Length == 0 ? 1 : rows[0].Length;
                string path = folder["table.csv"];
                new Table([.. Enumerable.Range(0, width).Select(i => $"c{i}")], rows).Write(path);
                Assert.Equal(rows, Table.Read(path).Rows);
            },
            iter: 2000,
            threads: 1);
    }

    [Fact]
    public void Any_number_survives_with_the_same_bits() => Gen.Double.Sample(number =>
    {
        var table = new TableBuilder([Columns[1]]);
        table.Add(number);
        return BitConverter.DoubleToInt64Bits(Table.Parse(table.Build().ToCsv())[0].Number("loss")) == BitConverter.DoubleToInt64Bits(double.IsNaN(number) ? double.NaN : number);
    });

    [Fact]
    public void Numbers_truth_and_absence_are_written_the_same_everywhere()
    {
        var table = new TableBuilder(Columns);
        table.Add("a,b", 0.1, true);
        table.Add(null, 1e-7, false);
        table.Add("say \"x\"", 123_456_789L, null);

        Assert.Equal("shape,loss,tied\n\"a,b\",0.1,true\n,1E-07,false\n\"say \"\"x\"\"\",123456789,\n", table.Build().ToCsv());
    }

    [Theory]
    [InlineData("a,b\n1,2\n")]
    [InlineData("a,b\r\n1,2\r\n")]
    [InlineData("\uFEFFa,b\n1,2")]
    [InlineData("\n\na,b\n\n1,2\n\n")]
    [InlineData("\"a\",\"b\"\n\"1\",2")]
    public void Files_of_other_programs_are_read(string text)
    {
        var table = Table.Parse(text);

        Assert.Equal(["a", "b"], table.Columns);
        Assert.Equal(["1", "2"], Assert.Single(table.Rows));
    }

    [Fact]
    public void A_last_cell_may_be_empty() => Assert.Equal([["1", ""], ["", ""]], Table.Parse("a,b\n1,\n,").Rows);

    [Fact]
    public Task A_file_that_is_no_table_says_what_is_wrong_with_it()
    {
        using var folder = new TemporaryFolder();
        string[] texts = ["", "\n\n", "a,b\n1\n", "a,b\n1,2,3\n", "a,a\n", "a\n\"1", "a\n\"1\"2\n"];

        return Snapshot.Match(string.Join('\n', texts.Select(text =>
        {
            string path = folder.Write("table.csv", text);
            return Assert.Throws<StageFailedException>(() => Table.Read(path)).Message.Replace(folder.Path + "/", "", StringComparison.Ordinal);
        })));
    }

    [Fact]
    public Task A_cell_that_is_not_what_was_expected_is_named()
    {
        var row = Table.Parse("loss,layers,tied\nlow,1.5,yes\n")[0];
        Action[] readings =
        [
            () => row.Number("loss"), () => row.Whole("layers"), () => row.Count("layers"), () => row.Truth("tied"), () => row.Text("los"), () => row.Text("hidden"),
        ];

        return Snapshot.Match(string.Join('\n', readings.Select(r => Assert.Throws<StageFailedException>(r).Message)));
    }

    [Fact]
    public void A_count_must_fit_32_bits()
    {
        var row = Table.Parse("n\n3000000000\n")[0];

        Assert.Equal(3_000_000_000, row.Whole("n"));
        Assert.Throws<StageFailedException>(() => row.Count("n"));
    }

    [Fact]
    public void A_row_with_too_few_values_is_a_mistake_of_its_author() => Assert.Throws<ArgumentException>(() => new TableBuilder(Columns).Add("a"));
}
