// The columns that the test stages exchange.
using Scaling.Sdk;

namespace Scaling.TestPlugin;

internal static class Tables
{
    public static readonly Column Point = new("point", "text", "name of the row");
    public static readonly Column Text = new("text", "text", "what the row says");
    public static readonly Column Length = new("length", "characters", "length of the text times the factor");
    public static readonly Column Factor = new("factor", "1", "element of the setting `factors`");
    public static readonly Column Seconds = new("seconds", "s", "how long the row took");

    public static readonly IReadOnlyList<Column> Echo = [Point, Text];
    public static readonly IReadOnlyList<Column> Squares = [Point, Text, Length, Factor];
    public static readonly IReadOnlyList<Column> Times = [Point, Factor, Seconds];

    public static readonly InputRole EchoRows = new("rows", "echo");
    public static readonly FanOut PerEchoRow = new("rows", ["point", "text"], ["point"]);

    public static void WriteEcho<TSettings>(this StageContext<TSettings> context, string name, string text)
        where TSettings : class
    {
        var table = new TableBuilder(Echo);
        table.Add(context.Row.Text("point"), text);
        table.Build().Write(context.Output(name));
    }
}
