// Shapes of the user, published ones for example, with the law's predictions beside their measured losses.
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Search;

/// <summary>A row of the user's table.</summary>
internal sealed record Reference(string Name, DecoderShape Shape, double? Loss, string Against)
{
    /// <summary>Reads the table: <c>name</c>, the eight columns of a shape, and where it has them <c>loss</c> and <c>against</c>.</summary>
    /// <exception cref="StageFailedException">SCAL7330: a shape cannot be built, a name stands twice, a loss is not positive, or a row is held against one that is not there. All at once.</exception>
    public static IReadOnlyList<Reference> Read(string path)
    {
        var table = Table.Read(path);
        string Optional(Row row, string column) => table.Has(column) ? row.Text(column) : "";
        var rows = table.Each().Select(row => new Reference(
            row.Text("name"), DecoderShape.FromCells(row.Count, row.Truth), Optional(row, "loss").Length > 0 ? row.Number("loss") : null, Optional(row, "against"))).ToList();
        var found = new List<Diagnostic>();
        void Find(string message, string hint) => found.Add(new Diagnostic("SCAL7330", message) { Hint = hint });
        foreach (var row in rows)
        {
            if (row.Shape.Flaw is { } flaw)
            {
                Find($"The reference '{row.Name}' cannot be built: {flaw}.", "Correct its row.");
            }

            if (row.Loss is { } loss && !(loss > 0 && double.IsFinite(loss)))
            {
                Find($"The reference '{row.Name}' has a loss of {Table.Cell(loss)}. Expected nats a token, above 0.", "Correct it, or leave it empty.");
            }

            if (row.Against.Length > 0 && !rows.Any(r => r.Name == row.Against))
            {
                Find($"The reference '{row.Name}' is held against '{row.Against}', and no row has that name.", NearestSpelling.Hint(row.Against, rows.Select(r => r.Name)) ?? "Name one of the table.");
            }
        }

        foreach (var twice in rows.GroupBy(r => r.Name).Where(g => g.Count() > 1))
        {
            Find($"The name '{twice.Key}' stands {twice.Count()} times.", "Give each reference its own.");
        }

        return found.Count == 0 ? rows : throw new StageFailedException(found);
    }

    /// <summary>
    /// The rows with what the law and the device say. A row is predicted at the N and D of the row that it is held against, since the law compares shapes of one size; a measured loss there sets the level.
    /// </summary>
    /// <param name="rows">As <see cref="Read"/> gave them.</param>
    /// <param name="settings">Tokens a parameter.</param>
    /// <param name="law">The law.</param>
    /// <param name="penalties">Of axes without a term.</param>
    /// <param name="speed">The device and workload.</param>
    public static Table Score(IReadOnlyList<Reference> rows, SearchSettings settings, LawDocument law, Penalties penalties, SpeedModel speed)
    {
        var table = new TableBuilder(SearchTables.ScoredReferences);
        foreach (var row in rows)
        {
            var against = rows.FirstOrDefault(r => r.Name == row.Against);
            double size = (against ?? row).Shape.Parameters;
            PenalisedPoint At(DecoderShape s) => new(LawPoint.Of(s, size, size * settings.TokensPerParameter), law.HasLevel || against?.Loss is not null ? penalties.Of(s) : 0);
            var forecast = new LossForecast(law, against?.Loss is { } level ? new LossAnchor(At(against.Shape), level) : null, null);
            double predicted = forecast.Predict(At(row.Shape));
            var served = speed.At(row.Shape, speed.Workload);
            table.Add(
            [
                row.Name, .. row.Shape.Cells(), row.Loss, row.Against, predicted, against is null ? null : predicted - forecast.Predict(At(against.Shape)), row.Loss - against?.Loss,
                served?.Batch ?? 0, InferenceCost.KvBytesPerToken(row.Shape, speed.Workload.KvCache.Bytes()), served?.TokensPerSecond,
                against is null ? null : served?.TokensPerSecond / speed.At(against.Shape, speed.Workload)?.TokensPerSecond,
            ]);
        }

        return table.Build();
    }
}
