// Cells of a table as the report shows them; an empty cell is a dash.
using Scaling.Reports;
using Scaling.Sdk;

namespace Scaling.Stages.Export;

internal static class RowText
{
    /// <summary>A number; null where the cell is empty.</summary>
    public static double? Optional(Row row, string column) => row.Text(column).Length == 0 ? null : row.Number(column);

    /// <summary>Three significant digits.</summary>
    public static string Digits(Row row, string column) => Quantity.Digits(Optional(row, column), 3);

    /// <summary>Three significant digits with a decimal prefix.</summary>
    public static string Count(Row row, string column) => Quantity.Count(Optional(row, column));

    /// <summary>An interval; a dash where an end is missing.</summary>
    /// <param name="low">Lower end.</param>
    /// <param name="high">Upper end.</param>
    /// <param name="text">Of an end.</param>
    public static string Interval(double? low, double? high, Func<double?, string> text) => low is null || high is null ? Quantity.Absent : $"{text(low)} … {text(high)}";

    /// <summary>Whether a column is there and says something: one that is empty throughout is not worth its place.</summary>
    public static bool Tells(Table table, string column) => table.Has(column) && table.Each().Any(row => row.Text(column).Length > 0);
}
