// Parquet files of Apache Arrow's writer and of another, whole and damaged.
using Parquet;
using Parquet.Schema;
using Scaling.Sdk;
using Scaling.Stages.Fit;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

public sealed class ParquetTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>The files beside this one were written by Arrow C++ 25 (ParquetSharp): 15 rows in row groups of 9 and 6.</summary>
    [Theory]
    [InlineData("uncompressed")]
    [InlineData("snappy")]
    [InlineData("gzip")]
    [InlineData("brotli")]
    [InlineData("zstd")]
    [InlineData("lz4")]
    public void A_file_of_Arrow_is_read_with_every_compression(string compression)
    {
        var table = TableFile.Read(Arrow(compression));

        Assert.Equal(["run", "N", "D", "loss", "lr", "tied", "layers", "when"], table.Columns);
        Assert.Equal(15, table.Rows.Count);
        Assert.Equal(["run 10000000, \"é\"", "10000000", "50000000", "6.253702583605447", "", "", "2", "2024-01-01T00:00:00.0000000Z"], table.Rows[0]);
        Assert.Equal(["", "30000000", "150000000"], table.Rows[3][..3]);
        Assert.Equal(["", "false", "5", "2024-01-01T03:00:00.0000000Z"], table.Rows[3][4..]);
        Assert.Equal("0.003", table.Rows[10][4]);
        Assert.All(table.Each(), r => Assert.Equal(1.69 + 406.4 / Math.Pow(r.Number("N"), 0.34) + 410.7 / Math.Pow(r.Number("D"), 0.28), r.Number("loss")));
    }

    [Fact]
    public void Other_types_are_numbers_or_texts()
    {
        var table = TableFile.Read(Arrow("types"));
        Assert.Equal(["ab", "1.5", "00000000-0000-0000-0000-000000000000"], table.Rows[0][..3]);
        Assert.Equal("7", table[0].Text("u16"));
        Assert.Equal("", table[1].Text("u16"));
        Assert.Equal("18446744073709551615", table[0].Text("u64"));
    }

    [Fact]
    public void Nested_columns_are_refused_by_name() =>
        Assert.Equal(
            ["runs.parquet: error SCAL7118: The Parquet file has nested columns where numbers, texts and truth values were expected: curve. Leave them out, or write their parts as columns of their own."],
            Refused(File.ReadAllBytes(Arrow("nested"))));

    [Fact]
    public void A_type_that_is_not_read_is_told() =>
        Assert.Equal(
            ["runs.parquet: error SCAL7118: The Parquet file has a column that cannot be read: type System.Half is not supported. Leave it out, or write it as 64-bit numbers or text."],
            Refused(File.ReadAllBytes(Arrow("half"))));

    [Fact]
    public void A_Parquet_file_is_known_by_its_content()
    {
        File.Copy(Arrow("zstd"), _folder["runs.csv"]);
        var read = RunFiles.ReadFile(_folder["runs.csv"], """{"columns":{"parameters":"N","tokens":"D","run":"run"},"where":"layers >= 3"}""");
        Assert.Equal(13, read.Runs.Count);
        Assert.Equal("run 10000000, \"é\"", read.Runs[0].Run);
        Assert.Equal(3e7, Assert.Single(read.Runs, r => r.Row == 5).Parameters);
    }

    [Fact]
    public void A_file_cut_off_anywhere_is_refused()
    {
        byte[] whole = File.ReadAllBytes(Arrow("snappy"));
        for (int length = 0; length < whole.Length; length += 7)
        {
            Assert.All(Refused(whole[..length]), said => Assert.StartsWith("runs.parquet: error SCAL", said));
        }
    }

    [Fact]
    public void A_file_damaged_anywhere_is_read_or_refused_and_throws_nothing_else()
    {
        byte[] whole = File.ReadAllBytes(Arrow("gzip"));
        var random = new Random(7);
        for (int i = 0; i < 1500; i++)
        {
            byte[] damaged = [.. whole];
            for (int n = random.Next(1, 4); n > 0; n--)
            {
                // Half of the damage goes to the description at the end, on which all else rests.
                int at = random.Next(2) == 0 ? random.Next(4, whole.Length) : random.Next(whole.Length - 1500, whole.Length);
                damaged[at] = (byte)random.Next(256);
            }

            File.WriteAllBytes(_folder["runs.parquet"], damaged);
            try
            {
                TableFile.Read(_folder["runs.parquet"]);
            }
            catch (StageFailedException)
            {
            }
        }
    }

    [Fact]
    public async Task A_million_rows_are_read_in_seconds()
    {
        const int Groups = 4, Rows = 250_000;
        string[] names = ["step", "batch", "N", "loss", "lr", "width", "depth", "seed", "name", "grad"];
        var schema = new ParquetSchema(names.Select(n => (Field)(n == "name" ? new DataField<string>(n) : new DataField<double>(n))));
        var random = new Random(1);
        await using (var file = File.Create(_folder["runs.parquet"]))
        await using (var writer = await ParquetWriter.CreateAsync(schema, file))
        {
            for (int g = 0; g < Groups; g++)
            {
                using var group = writer.CreateRowGroup();
                foreach (var field in schema.DataFields)
                {
                    if (field.Name == "name")
                    {
                        await group.WriteAsync(field, Enumerable.Range(0, Rows).Select(i => $"run {i / 1000}").ToArray());
                        continue;
                    }

                    double[] values = [.. Enumerable.Range(0, Rows).Select(i => field.Name switch
                    {
                        "step" => 1 + i + g * Rows,
                        "batch" => 1024,
                        "width" or "depth" => 64 * (1 + i / 1000 % 8),
                        "N" => 1e6 * (1 + i / 1000),
                        _ => 1 + random.NextDouble(),
                    })];
                    await group.WriteAsync<double>(field, values);
                }
            }
        }

        var watch = System.Diagnostics.Stopwatch.StartNew();
        var read = RunFiles.ReadFile(
            _folder["runs.parquet"], """{"columns":{"parameters":"N","tokens":"step * batch","hidden":"width","layers":"depth","run":"name"},"covariates":{"rate":"ln(lr)"},"where":"loss < 3"}""");

        Assert.Equal(Groups * Rows, read.Runs.Count);
        Assert.Equal(1024.0 * Groups * Rows, read.Runs[^1].Tokens);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30), $"it took {watch.Elapsed.TotalSeconds:F1} s; five are the promise, on an idle machine");
    }

    private static string Arrow(string name) => Path.Combine(Repository.Root, "tests", "Scaling.Stages.Tests", "Parquet", $"arrow-{name}.parquet");

    private string[] Refused(byte[] content)
    {
        File.WriteAllBytes(_folder["runs.parquet"], content);
        return RunFiles.Refused(() => RunFiles.ReadFile(_folder["runs.parquet"]));
    }
}
