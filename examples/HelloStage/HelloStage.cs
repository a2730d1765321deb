// hello: greets every shape of a sweep. The smallest stage that reads a table, has settings, warns, and writes a file.
using System.Text;
using Scaling.Sdk;

namespace HelloStage;

/// <summary>Writes <c>greeting.txt</c>, a line a shape; without shapes it greets the world.</summary>
public sealed class HelloStage : Stage<HelloSettings>
{
    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "hello",
        Summary = "Greets every shape of a sweep.",
        Inputs = [new InputRole("shapes", "shapes", Cardinality.Optional)],
        Outputs = [new OutputFile("greeting.txt", "greeting")],
    };

    /// <inheritdoc/>
    protected override void Run(StageContext<HelloSettings> context)
    {
        var settings = context.Settings;
        var lines = new StringBuilder();
        if (context.Inputs("shapes").Count == 0)
        {
            lines.Append($"{settings.Greeting}, world.\n");
        }
        else
        {
            var shapes = context.InputTable("shapes");
            foreach (var shape in shapes.Each().Take(settings.Limit))
            {
                lines.Append($"{settings.Greeting}, {shape.Text("shape")}: {shape.Text("layers")} layers of {shape.Text("hidden")} features, ");
                lines.Append($"{shape.Text("parameters")} parameters.\n");
            }

            if (shapes.Rows.Count > settings.Limit)
            {
                context.Warn("HELLO0001", $"{shapes.Rows.Count - settings.Limit} of {shapes.Rows.Count} shapes were not greeted.", "Raise `limit`.");
            }
        }

        File.WriteAllText(context.Output("greeting.txt"), lines.ToString());
    }
}
