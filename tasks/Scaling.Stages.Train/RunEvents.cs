// A run's curves as TensorBoard shows them.
using Scaling.Torch;

namespace Scaling.Stages.Train;

internal static class RunEvents
{
    /// <summary>
    /// Training loss and learning rate of every line of the curve, the held-out loss of every point, and the accuracy at the end. A branch that the run came back from has curves of
    /// its own, else they would zigzag.
    /// </summary>
    public static IEnumerable<EventScalar> Of(TrainingRun run, MultipleChoice? answered)
    {
        foreach (var line in run.Curve)
        {
            bool apart = run.Plan.Leaves(line.Point) && line.Step > run.Plan.Schedule.BranchesAt(line.Point);
            string branch = apart ? $" to {line.Point}" : "";
            yield return new EventScalar(line.Step, $"loss/training{branch}", line.Loss);
            yield return new EventScalar(line.Step, $"learning_rate{branch}", line.LearningRate);
        }

        foreach (var point in run.Judged)
        {
            yield return new EventScalar(point.Step, "loss/held_out", point.HeldOut.Nats);
        }

        if (answered is not null)
        {
            yield return new EventScalar(run.Plan.Steps, "accuracy", answered.Accuracy);
        }
    }
}
