// The one class that a stage author derives from.
using System.Text.Json.Nodes;

namespace Scaling.Sdk;

/// <summary>A stage as the worker sees it, its settings' type hidden. Derive from <see cref="Stage{TSettings}"/> instead.</summary>
public interface IStage
{
    /// <summary>What the stage says of itself.</summary>
    StageDeclaration Declaration { get; }

    /// <summary>JSON schema of its settings, with defaults, units and ranges.</summary>
    JsonObject SettingsSchema { get; }

    /// <summary>Runs its shared action.</summary>
    /// <param name="action">What to do and where.</param>
    void Prepare(ActionContext action);

    /// <summary>Runs one action.</summary>
    /// <param name="action">What to do and where.</param>
    void Run(ActionContext action);

    /// <summary>Runs a batch of rows.</summary>
    /// <param name="rows">One a row, all with the same settings.</param>
    void RunBatch(IReadOnlyList<ActionContext> rows);

    /// <summary>Prices one action; a stage that cannot has no quantities.</summary>
    /// <param name="action">Its settings and row; it has no inputs, no prepared files and nowhere to write.</param>
    /// <param name="target">On what.</param>
    IReadOnlyList<PricedQuantity> Price(ActionContext action, PriceTarget target) => [];

    /// <summary>Sees whether this machine has what the settings need.</summary>
    /// <param name="action">Its settings; it has no row, no inputs, no native packages and nowhere to write.</param>
    void CheckMachine(ActionContext action)
    {
    }
}

/// <summary>
/// A stage: a public class with a parameterless constructor, in an assembly that a pipeline names. It reads files, writes files and keeps no
/// state between actions. <see cref="Run"/> is called on one thread; several processes may run it side by side.
/// </summary>
/// <typeparam name="TSettings">
/// A record whose properties are the settings of <c>with:</c> in snake case, their initial values the defaults. Describe each with
/// <see cref="System.ComponentModel.DescriptionAttribute"/>, <see cref="UnitAttribute"/> and
/// <see cref="System.ComponentModel.DataAnnotations.RangeAttribute"/>. A <c>required</c> property has no default.
/// </typeparam>
public abstract class Stage<TSettings> : IStage
    where TSettings : class
{
    /// <inheritdoc/>
    public abstract StageDeclaration Declaration { get; }

    JsonObject IStage.SettingsSchema => Sdk.SettingsSchema.Of<TSettings>();

    void IStage.Prepare(ActionContext action) => Prepare(new StageContext<TSettings>(action));

    void IStage.Run(ActionContext action) => Run(new StageContext<TSettings>(action));

    void IStage.RunBatch(IReadOnlyList<ActionContext> rows) => RunBatch([.. rows.Select(row => new StageContext<TSettings>(row))]);

    IReadOnlyList<PricedQuantity> IStage.Price(ActionContext action, PriceTarget target) => Price(new StageContext<TSettings>(action), target);

    void IStage.CheckMachine(ActionContext action) => CheckMachine(new StageContext<TSettings>(action));

    /// <summary>
    /// Sees, in milliseconds, whether this machine has what the settings need and no package can bring, a graphics processor for example. It is asked before native packages are fetched, which may be gigabytes; not
    /// where they are here already, so an action must look for itself too.
    /// </summary>
    /// <param name="context">Settings; no row, no inputs, no native packages, nowhere to write. Settings that name files hold what the user wrote.</param>
    /// <exception cref="StageFailedException">The machine lacks something; says what, and what to do.</exception>
    protected virtual void CheckMachine(StageContext<TSettings> context)
    {
    }

    /// <summary>
    /// Says what an action would cost, from its settings and its row alone, at once: <c>plan --price</c> asks it of thousands. It reads no file; settings that name files may hold none.
    /// </summary>
    /// <param name="context">Settings and row; no inputs, no prepared files, nowhere to write.</param>
    /// <param name="target">The device, as the user wrote it, and how much of its peak is reached.</param>
    /// <returns>Default: nothing, where a price is not known or not worth telling.</returns>
    /// <exception cref="StageFailedException">The device is none that the stage knows, or the row is no row of its kind.</exception>
    protected virtual IReadOnlyList<PricedQuantity> Price(StageContext<TSettings> context, PriceTarget target) => [];

    /// <summary>Writes the files that the stage's rows share. Called only where <see cref="StageDeclaration.Prepare"/> is declared.</summary>
    /// <param name="context">Settings outside <see cref="PrepareAction.Reads"/> hold their defaults.</param>
    protected virtual void Prepare(StageContext<TSettings> context) =>
        throw new InvalidOperationException($"{GetType().Name} declares a prepare action but does not override Prepare");

    /// <summary>Does the work of one action and writes every declared output.</summary>
    /// <param name="context">Settings, inputs and where outputs go.</param>
    /// <exception cref="StageFailedException">The user's input cannot be worked with.</exception>
    /// <exception cref="OperationCanceledException">Stopped by <see cref="StageContext{TSettings}.Stop"/>.</exception>
    protected virtual void Run(StageContext<TSettings> context) =>
        throw new InvalidOperationException($"{GetType().Name} does not override Run");

    /// <summary>Does the work of several rows, calling <see cref="StageContext{TSettings}.Publish"/> as each is done.</summary>
    /// <param name="rows">The rows not yet in the store.</param>
    protected virtual void RunBatch(IReadOnlyList<StageContext<TSettings>> rows) =>
        throw new InvalidOperationException($"{GetType().Name} declares a batch but does not override RunBatch");
}
