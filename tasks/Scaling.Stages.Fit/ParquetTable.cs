// Parquet to a table of texts. The one door to Parquet.Net: what it throws of a damaged file stops here.
using Parquet;
using Parquet.Schema;
using Scaling.Sdk;

namespace Scaling.Stages.Fit;

internal static class ParquetTable
{
    /// <summary>Reads a file, all row groups. A null is an empty cell; a number is text that reads back to the same number.</summary>
    /// <param name="path">Begins with PAR1.</param>
    /// <exception cref="StageFailedException">SCAL7117: it is damaged. SCAL7118: columns are nested or of a type without text. SCAL7120: there are too many cells.</exception>
    public static Table Read(string path)
    {
        try
        {
            ParquetFooter.Check(path);
            return Task.Run(() => ReadAsync(path)).WaitAsync(Patience(path)).GetAwaiter().GetResult();
        }
        catch (TimeoutException)
        {
            throw new StageFailedException("SCAL7117", $"The Parquet file was not read within {Patience(path).TotalSeconds:0} seconds.", "It may be damaged; write it again.");
        }
        catch (NotSupportedException e)
        {
            throw new StageFailedException("SCAL7118", $"The Parquet file has a column that cannot be read: {e.Message}", "Leave it out, or write it as 64-bit numbers or text.");
        }
        catch (Exception e) when (e is not StageFailedException)
        {
            // A damaged file makes the package throw anything: NullReference, IndexOutOfRange, OutOfMemory of a length that is none.
            throw new StageFailedException("SCAL7117", $"The Parquet file cannot be read: {e.Message}", "It may be cut off or damaged; write it again.");
        }
    }

    /// <summary>
    /// A minute, and a second for each megabyte, ten times what it takes and more. Of one damaged file in ten thousand that
    /// <see cref="ParquetFooter"/> lets pass the package reads for ever; its thread then ends with the worker.
    /// </summary>
    private static TimeSpan Patience(string path) => TimeSpan.FromSeconds(60 + new FileInfo(path).Length / 1e6);

    private static async Task<Table> ReadAsync(string path)
    {
        // Some writers leave out that bytes are text; that is what a table of runs means by them.
        await using var reader = await ParquetReader.CreateAsync(path, new ParquetOptions { TreatByteArrayAsString = true });
        var fields = Fields(reader.Schema);
        string[][] rows = Empty(reader.RowGroups.Select(g => g.RowCount), fields.Count);
        int first = 0;
        for (int g = 0; g < reader.RowGroupCount; g++)
        {
            using var group = reader.OpenRowGroupReader(g);
            for (int c = 0; c < fields.Count; c++)
            {
                await Fill(group, fields[c], rows.AsMemory(first, (int)group.RowCount), c);
            }

            first += (int)group.RowCount;
        }

        return new Table([.. fields.Select(f => f.Name)], rows);
    }

    private static List<DataField> Fields(ParquetSchema schema)
    {
        var nested = schema.Fields.Where(f => f is not DataField { IsArray: false, MaxRepetitionLevel: 0 }).ToList();
        return nested.Count == 0
            ? [.. schema.Fields.Cast<DataField>()]
            : throw new StageFailedException(
                "SCAL7118", $"The Parquet file has nested columns where numbers, texts and truth values were expected: {string.Join(", ", nested.Select(f => f.Name))}.",
                "Leave them out, or write their parts as columns of their own.");
    }

    private static string[][] Empty(IEnumerable<long> counts, int columns)
    {
        long rows = 0;
        foreach (long count in counts)
        {
            rows = count < 0 ? throw new InvalidDataException("a row group has fewer than no rows") : checked(rows + count);
            if (rows * columns > TableFile.MostCells)
            {
                throw new StageFailedException("SCAL7120", $"The table has more than {TableFile.MostCells / 1_000_000} million cells.", "Keep the rows and columns that count.");
            }
        }

        return [.. Enumerable.Range(0, (int)rows).Select(_ => new string[columns])];
    }

    private static Task Fill(ParquetRowGroupReader group, DataField field, Memory<string[]> rows, int column) => field.ClrType switch
    {
        var t when t == typeof(double) => Fill<double>(group, field, rows, column),
        var t when t == typeof(float) => Fill<float>(group, field, rows, column),
        var t when t == typeof(long) => Fill<long>(group, field, rows, column),
        var t when t == typeof(int) => Fill<int>(group, field, rows, column),
        var t when t == typeof(short) => Fill<short>(group, field, rows, column),
        var t when t == typeof(sbyte) => Fill<sbyte>(group, field, rows, column),
        var t when t == typeof(ulong) => Fill<ulong>(group, field, rows, column),
        var t when t == typeof(uint) => Fill<uint>(group, field, rows, column),
        var t when t == typeof(ushort) => Fill<ushort>(group, field, rows, column),
        var t when t == typeof(byte) => Fill<byte>(group, field, rows, column),
        var t when t == typeof(decimal) => Fill<decimal>(group, field, rows, column),
        var t when t == typeof(bool) => Fill<bool>(group, field, rows, column),
        var t when t == typeof(DateTime) => Fill<DateTime>(group, field, rows, column),
        var t when t == typeof(Guid) => Fill<Guid>(group, field, rows, column),
        var t when t == typeof(string) || t == typeof(ReadOnlyMemory<char>) => FillText(group, field, rows, column),
        var other => throw new StageFailedException(
            "SCAL7118", $"The Parquet file's column '{field.Name}' holds {other.Name} where numbers, texts and truth values were expected.", "Leave it out, or write it as text."),
    };

    private static async Task Fill<T>(ParquetRowGroupReader group, DataField field, Memory<string[]> rows, int column)
        where T : struct
    {
        var values = new T?[rows.Length];
        if (field.IsNullable)
        {
            await group.ReadAsync<T>(field, values.AsMemory());
        }
        else
        {
            var present = new T[rows.Length];
            await group.ReadAsync<T>(field, present.AsMemory());
            values = Array.ConvertAll(present, v => (T?)v);
        }

        // Sizes and shapes repeat row after row: one text for a run of equal values halves the memory.
        T? before = null;
        string cell = "";
        for (int i = 0; i < values.Length; i++)
        {
            if (!EqualityComparer<T?>.Default.Equals(values[i], before))
            {
                (before, cell) = (values[i], values[i] is DateTime time ? time.ToString("O") : Table.Cell(values[i]));
            }

            rows.Span[i][column] = cell;
        }
    }

    private static async Task FillText(ParquetRowGroupReader group, DataField field, Memory<string[]> rows, int column)
    {
        string?[] values = new string?[rows.Length];
        await group.ReadAsync(field, values.AsMemory()!);
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int i = 0; i < values.Length; i++)
        {
            string text = values[i] ?? "";
            rows.Span[i][column] = texts.TryGetValue(text, out string? same) ? same : texts[text] = text;
        }
    }
}
