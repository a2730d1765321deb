// JSON Lines: one flat object a line. The columns are the names of all objects, in the order in which they first stand.
using System.Text.Json;
using Scaling.Sdk;

namespace Scaling.Stages.Fit;

internal static class JsonLines
{
    /// <summary>Reads a file. A name that an object lacks, and null, are an empty cell; numbers stay as they are written.</summary>
    /// <param name="path">UTF-8.</param>
    /// <exception cref="StageFailedException">SCAL7117: a line is no object. SCAL7118: it holds a list or an object. SCAL7120: there are too many cells.</exception>
    public static Table Read(string path)
    {
        var columns = new Dictionary<string, int>(StringComparer.Ordinal);
        var rows = new List<string[]>();
        int number = 0;
        foreach (string line in File.ReadLines(path))
        {
            number++;
            if (!string.IsNullOrWhiteSpace(line))
            {
                rows.Add(Row(line, number, columns));
            }

            if ((long)rows.Count * columns.Count > TableFile.MostCells)
            {
                throw Wrong("SCAL7120", number, $"The table has more than {TableFile.MostCells / 1_000_000} million cells.", "Keep the rows and columns that count.");
            }
        }

        return new Table([.. columns.Keys], [.. rows.Select(r => Padded(r, columns.Count))]);
    }

    private static string[] Row(string line, int number, Dictionary<string, int> columns)
    {
        var cells = new List<string>(columns.Count);
        try
        {
            using var document = JsonDocument.Parse(line, new JsonDocumentOptions { AllowDuplicateProperties = false });
            foreach (var property in document.RootElement.EnumerateObject())
            {
                columns.TryAdd(property.Name, columns.Count);
                int column = columns[property.Name];
                while (cells.Count <= column)
                {
                    cells.Add("");
                }

                cells[column] = Cell(property, number);
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Wrong("SCAL7117", number, $"Line {number} is no JSON object: {e.Message}", "Expected JSON Lines, one object a line; a number that is none is null.");
        }

        return [.. cells];
    }

    private static string Cell(JsonProperty property, int line) => property.Value.ValueKind switch
    {
        JsonValueKind.Null => "",
        JsonValueKind.String => property.Value.GetString()!,
        JsonValueKind.Object or JsonValueKind.Array =>
            throw Wrong("SCAL7118", line, $"Line {line}: '{property.Name}' holds a list or an object where a number or text was expected.", "Leave it out, or write its parts as names of their own."),
        _ => property.Value.GetRawText(),
    };

    private static string[] Padded(string[] cells, int length) => cells.Length == length ? cells : [.. cells, .. Enumerable.Repeat("", length - cells.Length)];

    private static StageFailedException Wrong(string code, int line, string message, string hint) =>
        new([new Diagnostic(code, message) { Location = new SourceLocation("", line), Hint = hint }]);
}
