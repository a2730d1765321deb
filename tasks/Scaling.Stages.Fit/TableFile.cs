// A table of the user, in any of the formats that are read; the content says which, so that a name enters no result.
using System.Text;
using Scaling.Sdk;

namespace Scaling.Stages.Fit;

internal static class TableFile
{
    /// <summary>Most cells, rows times columns: about 4 GB of memory.</summary>
    public const long MostCells = 50_000_000;

    /// <summary>Most bytes of a file of text: what one .NET text can hold.</summary>
    private const long MostBytes = 1_000_000_000;

    /// <summary>Reads a table. Blanks around the names of columns are taken off.</summary>
    /// <param name="path">Parquet where it begins with PAR1, JSON Lines where its first character is a brace, else CSV.</param>
    /// <exception cref="StageFailedException">SCAL3102, 7117, 7118 or 7120: it is no table that can be read.</exception>
    public static Table Read(string path)
    {
        byte[] beginning = Beginning(path);
        if (beginning.AsSpan().StartsWith("PAR1"u8))
        {
            return Trimmed(ParquetTable.Read(path));
        }

        if (beginning.AsSpan().IndexOf((byte)0) >= 0 && !beginning.AsSpan().StartsWith<byte>([0xFF, 0xFE]) && !beginning.AsSpan().StartsWith<byte>([0xFE, 0xFF]))
        {
            throw new StageFailedException("SCAL7117", "The file is neither text nor Parquet.", "Expected CSV with a header, Parquet, or JSON Lines, not compressed.");
        }

        if (new FileInfo(path).Length > MostBytes)
        {
            throw new StageFailedException("SCAL7120", $"The file has more than {MostBytes / 1_000_000} million bytes.", "Write it as Parquet, or keep the rows and columns that count.");
        }

        return Trimmed(Encoding.UTF8.GetString(beginning).TrimStart('\uFEFF').TrimStart().StartsWith('{') ? JsonLines.Read(path) : Table.Read(path));
    }

    /// <summary>As many bytes as tell the format.</summary>
    private static byte[] Beginning(string path)
    {
        using var file = File.OpenRead(path);
        byte[] bytes = new byte[4096];
        return bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
    }

    private static Table Trimmed(Table table)
    {
        if (!table.Columns.Any(c => c != c.Trim()))
        {
            return table;
        }

        try
        {
            return new Table([.. table.Columns.Select(c => c.Trim())], table.Rows);
        }
        catch (FormatException e)
        {
            throw new StageFailedException("SCAL3102", $"This is no table: {e.Message}, but for blanks around it.");
        }
    }
}
